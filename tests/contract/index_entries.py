"""Entries, states and queries for the tests of an index."""

import numpy as np

from recognition.cluster import EVERYWHERE
from schemas.conditioning import ArtefactRef
from streams.index.base import GalleryState, Index, IndexEntry, IndexKey, Query, ShardState
from tests.gallery_entries import MODEL
from tests.index_entries import entry

AXES = np.eye(4, dtype=np.float32)
ACTIVE = ArtefactRef(name="light", version="v1", uri="file:///c", model=MODEL)
FITTED = f"{MODEL}+v1"


def state(
    entries: list[IndexEntry],
    epoch: str = "one",
    position: int = 0,
    conditioning: ArtefactRef | None = None,
) -> GalleryState:
    models: dict[str, dict[str, ShardState]] = {}
    for e in entries:
        for cluster in (e.cluster, EVERYWHERE):
            shards = models.setdefault(e.space.partition("+")[0], {})
            held = shards[cluster].entries if cluster in shards else 0
            shards[cluster] = ShardState(entries=held + 1, identities=1, threshold=0.5)
    return GalleryState(epoch=epoch, position=position, models=models, conditioning=conditioning)


async def filled(index: Index, entries: list[IndexEntry]) -> None:
    await index.write(entries, [], state(entries))


PLAIN_ENTRIES = [entry("a", "oak", AXES[0]), entry("b", "elm", AXES[1])]
FITTED_ENTRIES = [
    entry("a", "oak", AXES[2], "c0", FITTED, 0.5),
    entry("b", "elm", AXES[3], "c1", FITTED, 0.5),
]
PLAIN_QUERY = Query(AXES[0], MODEL, ("all",))
FITTED_QUERY = Query(AXES[0], FITTED, ("c0", "c1"))


async def ids(index: Index, query: Query, epoch: str) -> list[str]:
    (found,) = await index.search([query], 10, epoch)
    return [neighbour.entry_id for neighbour in found]


def place(of: IndexEntry) -> IndexKey:
    return IndexKey(of.entry_id, of.space, of.cluster)
