"""When something was decided, and what the three kinds of record on ``gallery`` are read as."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.errors import BadInput
from schemas.gallery import ErasedMark, GalleryCommand, TermClaim, read_gallery_record
from schemas.records import Record
from tests.gallery_entries import CAPTURED, enrol, entry

WRITTEN_MS = 1_700_000_000_000


def undated(timestamp_ms: int) -> Record:
    """Return a command that does not say when it was decided."""
    record = enrol("a", "Bella", [1, 0]).record("gallery-commands")
    said = json.loads(record.value or b"")
    del said["decided_at"]
    return replace(record, value=json.dumps(said).encode(), timestamp_ms=timestamp_ms)


def test_what_says_its_instant_keeps_it() -> None:
    asked = enrol("a", "Bella", [1, 0])
    record = replace(asked.record("gallery-commands"), timestamp_ms=WRITTEN_MS)
    assert GalleryCommand.read(record).decided_at == asked.decided_at


def test_what_does_not_was_decided_when_it_was_written() -> None:
    written = datetime.fromtimestamp(WRITTEN_MS / 1000, UTC)
    found = [GalleryCommand.read(undated(WRITTEN_MS)).decided_at for _ in range(2)]
    assert found == [written, written]


def test_without_any_instant_it_is_refused() -> None:
    with pytest.raises(BadInput, match="timestamp") as caught:
        GalleryCommand.read(undated(2**62))
    assert caught.value.reason == "bad_time"


def test_a_record_of_the_gallery_is_read_by_its_key() -> None:
    claim = TermClaim(term=3, owner="here", claimed_at=CAPTURED, salt="s" * 16)
    mark = ErasedMark(entry_hash="0f", erased_at=CAPTURED)
    held = entry("a", "Bella", [1, 0])
    read = [read_gallery_record(event.record("gallery")) for event in (claim, mark, held)]
    assert [type(event) for event in read] == [TermClaim, ErasedMark, type(held)]
    assert read[:2] == [claim, mark]
