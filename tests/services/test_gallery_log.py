"""The ``gallery`` topic on a real broker: written, read whole, and read on."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from schemas.errors import DependencyDown
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY
from streams.gallery_log import KafkaGalleryLog
from streams.holdings import Change, Erased
from streams.publisher import KafkaPublisher
from tests.gallery_entries import entry
from tests.services.kafka import put


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[KafkaGalleryLog]:
    publisher = KafkaPublisher(settings.need_kafka())
    await publisher.start()
    yield KafkaGalleryLog(settings.need_kafka(), settings.topic(GALLERY), publisher)
    await publisher.stop()


async def read(log: KafkaGalleryLog, after: int = -1) -> list[tuple[Change, int]]:
    return [found async for found in log.read(after)]


async def test_an_empty_topic_has_nothing(log: KafkaGalleryLog) -> None:
    assert await read(log) == []


async def test_what_is_appended_at_once_is_read_to_its_last_record(log: KafkaGalleryLog) -> None:
    """The embedded broker names the *first* offset of its newest batch as the topic's end."""
    entries = [entry(f"e{i}", "oak", [1, i]) for i in range(50)]
    offsets = await log.append([*entries, Erased("e7")])
    assert list(offsets) == list(range(51))
    found = await read(log)
    assert [offset for _, offset in found] == list(offsets)
    assert [change.entry_id for change, _ in found] == [*(e.entry_id for e in entries), "e7"]
    assert isinstance(found[-1][0], Erased)
    first = found[0][0]
    assert not isinstance(first, Erased)
    assert np.array_equal(first.vector, entries[0].vector)


async def test_it_is_read_on_from_where_one_was(log: KafkaGalleryLog) -> None:
    await log.append([entry(f"e{i}", "oak", [1, i]) for i in range(5)])
    assert [offset for _, offset in await read(log, after=2)] == [3, 4]
    assert await read(log, after=4) == []


async def test_a_truth_that_cannot_be_read_is_not_passed_over(
    log: KafkaGalleryLog, settings: Settings
) -> None:
    await log.append([entry("e0", "oak", [1, 0])])
    await put(settings, [Record(settings.topic(GALLERY), b"e1", b'{"schema_version": 9}')])
    with pytest.raises(DependencyDown, match=r"gallery-0-1"):
        await read(log)
