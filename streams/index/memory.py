"""The exact twin of the Redis index: brute force over numpy arrays, for tests and comparisons."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from recognition.decision import Neighbour
from recognition.distance import FloatArray, compare, prepare
from streams.index.base import (
    ROUNDING,
    GalleryState,
    IndexDiffers,
    IndexEntry,
    IndexKey,
    Query,
    taken_over,
)


class MemoryIndex:
    """Holds the entries in dictionaries; passes the same contract suite as Redis."""

    def __init__(self) -> None:
        self._shards: dict[tuple[str, str], dict[str, IndexEntry]] = {}
        self._prepared: dict[tuple[str, str], FloatArray] = {}  # of shards that did not change
        self._state: GalleryState | None = None
        self._term = 0

    async def state(self) -> GalleryState | None:
        """Return the state as last written."""
        return self._state

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Compare each probe with every entry of its shards."""
        if self._state is None or self._state.epoch != epoch:
            raise IndexDiffers("it was made anew")
        sizes = self._state.shards
        for shard in dict.fromkeys((q.space, c) for q in queries for c in q.clusters):
            self._check(shard, sizes.get(shard, 0))
        return [self._nearest(query, k) for query in queries]

    def _check(self, shard: tuple[str, str], wanted: int) -> None:
        held = self._shards.get(shard)
        if held is None or len(held) != wanted:
            shown = "missing" if held is None else f"of {len(held)} entries"
            raise IndexDiffers(f"shard {shard[1]} of {shard[0]} is {shown}, not of {wanted}")

    def _nearest(self, query: Query, k: int) -> tuple[Neighbour, ...]:
        asked = [(query.space, c) for c in query.clusters if self._shards[query.space, c]]
        if not asked:
            return ()
        entries = [entry for shard in asked for entry in self._shards[shard].values()]
        probe = prepare(query.vector[None])
        near = [compare(probe, self._vectors(shard))[0] for shard in asked]
        distances = np.concatenate(near)
        nearest = np.argsort(distances, kind="stable")[:k]
        return tuple(
            Neighbour(e.entry_id, e.identity, float(distances[i]), e.cluster, e.scale)
            for i, e in ((i, entries[i]) for i in nearest)
        )

    def _vectors(self, shard: tuple[str, str]) -> FloatArray:
        """Return the vectors of a shard, made ready once for all searches until it changes."""
        if shard not in self._prepared:
            vectors = np.stack([entry.vector for entry in self._shards[shard].values()])
            self._prepared[shard] = prepare(vectors)
        return self._prepared[shard]

    async def fill(self, active: Sequence[IndexEntry], term: int = 0) -> None:
        """Put the entries."""
        self._fence(term)
        for entry in active:
            shard = entry.space, entry.cluster
            self._prepared.pop(shard, None)
            self._shards.setdefault(shard, {})[entry.entry_id] = entry

    async def holds(self, state: GalleryState) -> bool:
        """Count the entries of each shard."""
        return all(
            len(self._shards.get(shard, ())) == entries for shard, entries in state.shards.items()
        )

    async def altered(self, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """Compare all that is searched."""
        held = (self._shards.get((e.space, e.cluster), {}).get(e.entry_id) for e in entries)
        pairs = zip(entries, held, strict=True)
        return [entry for entry, there in pairs if there is None or not _alike(entry, there)]

    async def expel(
        self,
        state: GalleryState,
        belongs: Callable[[IndexKey], bool],
        share: float,  # noqa: ARG002  all at once
        term: int = 0,
    ) -> list[str]:
        """Forget entries that do not belong."""
        self._fence(term)
        gone = [
            IndexKey(entry_id, *shard)
            for shard, held in self._shards.items()
            for entry_id in held
            if shard not in state.shards or not belongs(IndexKey(entry_id, *shard))
        ]
        self._remove(gone)
        return [key.entry_id for key in gone]

    async def write(
        self,
        active: Sequence[IndexEntry],
        gone: Sequence[IndexKey],
        state: GalleryState,
        term: int = 0,
    ) -> None:
        """Apply the change at once."""
        self._fence(term)
        self._remove(gone)
        await self.fill(active, term)
        self._state = state

    async def sweep(self, state: GalleryState, term: int = 0) -> None:
        """Forget the other shards."""
        self._fence(term)
        for shard in self._shards.keys() - state.shards.keys():
            del self._shards[shard]
            self._prepared.pop(shard, None)

    async def clear(self, term: int = 0) -> None:
        """Forget everything but the term."""
        self._fence(term)
        self._shards.clear()
        self._prepared.clear()
        self._state = None

    async def eviction(self) -> str | None:
        """Nothing is dropped here."""
        return None

    async def term(self) -> int:
        """Return the term of the last write."""
        return self._term

    async def close(self) -> None:
        """Nothing to let go of."""

    def _fence(self, term: int) -> None:
        if term < self._term:
            raise taken_over(self._term, term)
        self._term = term

    def _remove(self, gone: Sequence[IndexKey]) -> None:
        for key in gone:
            shard = key.space, key.cluster
            self._prepared.pop(shard, None)
            self._shards.get(shard, {}).pop(key.entry_id, None)


def _alike(one: IndexEntry, other: IndexEntry) -> bool:
    return (
        one.identity == other.identity
        and math.isclose(one.scale, other.scale, rel_tol=ROUNDING)
        and one.vector.shape == other.vector.shape
        and np.allclose(one.vector, other.vector, rtol=0, atol=ROUNDING)
    )
