"""A deployment's topics: the herd's first days are enrolled, the others come as probes."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from schemas.embedding import Embedding
from schemas.event import FloatVector
from schemas.gallery import GalleryEntry, TermClaim, under_term
from schemas.recognition_event import ReviewDecision, ReviewItem, ReviewReason
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, GALLERY, HUMAN_REVIEW, REVIEW_DECISIONS
from tests.golden.stored import MANIFEST, vectors

MODEL_VERSION: Final = "golden@659c1a7a1024"
"""Of the stored model, whose the stored conditioning is."""

IDENTITIES: Final = (5, 7, 8, 12, 13, 14, 15, 16, 19, 25, 29, 31, 32, 33, 36, 39)
"""Of the herd, those that the stored conditioning was neither fitted to nor judged by."""

_STRANGER = 32  # from this identity on, nobody was enrolled in the first days
_ENROLLED_SHOTS = 4
_ASKED, _SILENT, _WRONG = 3, 4, 9  # every so manieth probe, or answer
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Shot(NamedTuple):
    """A row of the manifest with its embedding."""

    event_id: str
    identity: int
    number: int
    captured_at: datetime
    background: Mapping[str, str | float]
    vector: FloatVector

    @property
    def label(self) -> str:
        """The name of the identity."""
        return f"id{self.identity:02d}"

    @property
    def stranger(self) -> bool:
        """Whether the gallery did not know it in the first days."""
        return self.identity >= _STRANGER

    @property
    def enrolled(self) -> bool:
        """Whether it lies in the gallery from the beginning."""
        return self.number < _ENROLLED_SHOTS and not self.stranger


def records(settings: Settings) -> list[Record]:
    """Return all records, in the order in which they are to be put."""
    shots = list(_shots())
    gallery = [shot for shot in shots if shot.enrolled]
    probes = [shot for shot in shots if not shot.enrolled]
    asked = probes[::_ASKED]
    # An answered stranger is enrolled, after all that was there when the matcher had to ask.
    entries = [_entry(shot) for shot in (*gallery, *(shot for shot in asked if shot.stranger))]
    items = [_item(shot, position=len(gallery)) for shot in asked]
    decisions = [
        _decision(item, "id05" if at % _WRONG == 0 else shot.label)
        for at, (item, shot) in enumerate(zip(items, asked, strict=True))
        if at % _SILENT
    ]
    claim = TermClaim(term=1, owner="golden", claimed_at=_AT, salt="0123456789abcdef")
    written = [event.record(settings.topic(GALLERY)) for event in (claim, *entries)]
    return [
        *(under_term(record, claim.term) for record in written),
        *(_embedding(shot).record(settings.topic(EMBEDDINGS)) for shot in probes),
        *(item.record(settings.topic(HUMAN_REVIEW)) for item in items),
        *(decision.record(settings.topic(REVIEW_DECISIONS)) for decision in decisions),
    ]


def _shots() -> Iterator[Shot]:
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        for line, vector in zip(csv.DictReader(file), vectors(), strict=True):
            identity, number = map(int, line["path"].removesuffix(".png").split("-"))
            if identity not in IDENTITIES:
                continue
            at = datetime.fromisoformat(line["captured_at"]).replace(tzinfo=UTC)
            texts = {name: line[name] for name in ("date", "season", "light", "lens", "breed")}
            numbers = {name: float(line[name]) for name in ("hour", "age")}
            background = {**texts, **numbers}
            yield Shot(line["path"], identity, number, at, background, vector)


def _embedding(shot: Shot) -> Embedding:
    return Embedding(
        event_id=shot.event_id,
        source="herd",
        captured_at=shot.captured_at,
        background=dict(shot.background),
        region=None,
        vector=shot.vector,
        model=MODEL_VERSION,
        timings_ms={},
    )


def _entry(shot: Shot) -> GalleryEntry:
    return GalleryEntry(
        entry_id=shot.event_id,
        identity=shot.label,
        model=MODEL_VERSION,
        cluster="all",
        background=dict(shot.background),
        source="herd",
        captured_at=shot.captured_at,
        vector=shot.vector,
        actor="ann",
        reason="golden",
        changed_at=_AT,
        decided_at=_AT,
    )


def _item(shot: Shot, position: int) -> ReviewItem:
    return ReviewItem(
        event_id=shot.event_id,
        source="herd",
        captured_at=shot.captured_at,
        background=dict(shot.background),
        cluster=None,
        model=MODEL_VERSION,
        gallery_position=position,
        reason=ReviewReason.BEYOND_THRESHOLD,
        vector=np.asarray(shot.vector),
    )


def _decision(item: ReviewItem, identity: str) -> ReviewDecision:
    return ReviewDecision(item=item, identity=identity, actor="ann", decided_at=_AT)
