"""The three agents on a real broker and a real Redis, fed with embeddings of known geometry."""

import numpy as np

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.quality import Quality
from schemas.recognition_event import (
    DecidedBy,
    Identification,
    ReviewDecision,
    ReviewItem,
    ReviewReason,
)
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import (
    GALLERY,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
)
from streams.app import run
from tests.services.kafka import (
    collecting,
    embedding,
    embedding_records,
    eventually,
    fold_of,
    indexed,
    put,
    running,
)

SHARP = Quality(sharpness=0.8, size=200, dark=0, bright=0.1, overall=0.9821)
DULL = Quality(sharpness=0.1, size=40, dark=0.3, bright=0, overall=0.5691)

AXES = np.eye(8, dtype=np.float32)


def near(axis: int, step: float = 0.05) -> np.ndarray:
    """Return a vector close to an axis, tilted toward the last one, each by a little more."""
    return np.asarray(AXES[axis] + (step + 0.01 * axis) * AXES[7])


async def test_what_is_taught_is_recognised(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    topics = (IDENTIFICATIONS, HUMAN_REVIEW, GALLERY)
    async with (
        running(lambda stop: run(Runtime(settings, metrics, health), stop)),
        collecting(settings, *topics) as found,
    ):
        first = [embedding(f"first-{axis}", near(axis), quality=SHARP) for axis in range(4)]
        await put(settings, embedding_records(settings, first))
        await eventually(lambda: len(_of(found, settings.topic(HUMAN_REVIEW))) == 4, "4 reviews")
        items = [ReviewItem.read(r) for r in _of(found, settings.topic(HUMAN_REVIEW))]
        assert {item.reason for item in items} == {ReviewReason.GALLERY_EMPTY}
        assert [item.quality for item in items] == [SHARP] * 4

        decisions = [
            ReviewDecision(item=item, identity=f"oak-{item.event_id[-1]}", actor="ann")
            for item in items
        ]
        topic = settings.topic(REVIEW_DECISIONS)
        await put(settings, [decision.record(topic) for decision in decisions])
        await eventually(lambda: len(fold_of(settings, found).entries) == 4, "4 entries")
        await indexed(settings, 4)
        by_person = [Identification.read(r) for r in _of(found, settings.topic(IDENTIFICATIONS))]
        assert {(e.decided_by, e.revision) for e in by_person} == {(DecidedBy.PERSON, 2)}
        assert [event.quality for event in by_person] == [SHARP] * 4
        entries = fold_of(settings, found).entries.values()
        assert [entry.quality for entry in entries] == [SHARP] * 4

        again = [embedding(f"again-{axis}", near(axis, -0.05), quality=DULL) for axis in range(4)]
        again.append(embedding("stranger", AXES[5]))
        await put(settings, embedding_records(settings, again))
        await eventually(
            lambda: len(found) >= 4 + 4 + 5 + 5, "an outcome for each of the second round"
        )
        known = {
            event.event_id: (event.identity, event.quality)
            for event in map(Identification.read, _of(found, settings.topic(IDENTIFICATIONS)))
            if event.decided_by is DecidedBy.MATCHER
        }
        assert known == {f"again-{axis}": (f"oak-{axis}", DULL) for axis in range(4)}
        last = ReviewItem.read(_of(found, settings.topic(HUMAN_REVIEW))[-1])
        assert (last.event_id, last.reason) == ("stranger", ReviewReason.BEYOND_THRESHOLD)
        assert last.quality is None, "nobody measured it"


def _of(found: list[Record], topic: str) -> list[Record]:
    return [record for record in found if record.topic == topic]
