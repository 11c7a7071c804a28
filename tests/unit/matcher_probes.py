"""Matchers on an index in memory: thresholds set by hand, distances one can see."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recognition.cluster import EVERYWHERE
from recognition.decision import Neighbour
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.metrics import Metrics
from schemas.recognition_event import (
    Identification,
    RecognitionEvent,
    ReviewItem,
    ReviewReason,
)
from schemas.records import Record
from schemas.settings import load_settings
from streams.conditioning.placement import Placements
from streams.index.base import GalleryState, IndexEntry, Query, ShardState
from streams.index.memory import MemoryIndex
from streams.matching.matcher import Matcher
from tests.gallery_entries import CAPTURED, MODEL, unit
from tests.index_entries import entry

AXES = np.eye(4, dtype=np.float32)
WINTER, SUMMER = "season=winter", "season=summer"


class Watched(MemoryIndex):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[Sequence[Query]] = []
        self.k: set[int] = set()

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        self.rounds.append(queries)
        self.k.add(k)
        return await super().search(queries, k, epoch)


def matcher_on(
    index: MemoryIndex,
    metrics: Metrics,
    *shard_by: str,
    placements: Placements | None = None,
    **settings: Any,
) -> Matcher:
    """Return a matcher on the index."""
    return Matcher(
        load_settings(**settings),
        metrics,
        index,
        Placements(shard_by) if placements is None else placements,
        patience_s=0,
    )


async def fill(
    index: MemoryIndex,
    entries: Sequence[IndexEntry],
    thresholds: Mapping[str, float] | None = None,
    active: ArtefactRef | None = None,
    by_probe: Mapping[str, float] | None = None,
) -> None:
    """Hold these entries and no others, and a state.

    Args:
        thresholds: of plain shards, by cluster.
        active: the conditioning that is active for ``MODEL``.
        by_probe: the thresholds in its space, by the cluster of the probe.
    """
    shards: dict[tuple[str, str], list[str]] = {}
    for e in entries:
        for cluster in (e.cluster, EVERYWHERE):
            shards.setdefault((_model(e.space), cluster), []).append(e.identity)
    models: dict[str, dict[str, ShardState]] = {}
    for (model, cluster), names in shards.items():
        models.setdefault(model, {})[cluster] = ShardState(
            entries=len(names),
            identities=len(set(names)),
            threshold=(thresholds or {}).get(cluster),
        )
    state = GalleryState(
        epoch="one",
        position=41,
        models=models,
        dimensions={_model(e.space): e.vector.size for e in entries},
        conditioning=active,
        thresholds={} if by_probe is None else {MODEL: dict(by_probe)},
    )
    await index.clear()
    await index.write(entries, [], state)


def _model(space: str) -> str:
    return space.partition("+")[0]


def probe(event_id: str = "x", vector: Any = AXES[0], **changes: Any) -> Record:
    values: dict[str, Any] = {
        "event_id": event_id,
        "source": "cam-1",
        "captured_at": CAPTURED,
        "background": {"season": "winter"},
        "region": None,
        "vector": unit(vector),
        "model": MODEL,
        "timings_ms": {},
    }
    return Embedding(**{**values, **changes}).record("embeddings")


async def matched(matcher: Matcher, *probes: Record) -> list[RecognitionEvent]:
    """Return the events, each read from the topic it belongs on."""
    return events_of(await matcher.handle(probes))


def events_of(records: Sequence[Record]) -> list[RecognitionEvent]:
    """Return the recognition events among the records."""
    kinds: dict[str, type[RecognitionEvent]] = {
        "identifications": Identification,
        "human-review": ReviewItem,
    }
    return [kinds[r.topic].read(r) for r in records if r.topic in kinds]


async def one(matcher: Matcher, record: Record) -> RecognitionEvent:
    (event,) = await matched(matcher, record)
    return event


def identity(event: RecognitionEvent) -> str | None:
    return event.identity if isinstance(event, Identification) else None


def reason(event: RecognitionEvent) -> ReviewReason | None:
    return event.reason if isinstance(event, ReviewItem) else None


def searched(event: RecognitionEvent) -> dict[str, int]:
    return {shard.cluster: shard.entries for shard in event.shards}


# In winter an oak on the first axis and an elm on the second; in summer the first axis is a fir.
SEASONS = [
    entry("oak-w", "oak", AXES[0] + 0.3 * AXES[3], cluster=WINTER),
    entry("elm-w", "elm", AXES[1], cluster=WINTER),
    entry("fir-s", "fir", AXES[0], cluster=SUMMER),
    entry("ash-s", "ash", AXES[2], cluster=SUMMER),
]
THRESHOLDS = {WINTER: 0.1, SUMMER: 0.05, EVERYWHERE: 0.2}
