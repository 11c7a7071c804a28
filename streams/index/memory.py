"""The exact twin of the Redis index: brute force over numpy arrays, for tests and comparisons."""

from collections.abc import Sequence

import numpy as np

from recognition.distance import FloatArray, Metric, compare, prepare
from recognition.match import Neighbour
from schemas.errors import DependencyDown
from streams.index.base import GalleryState, IndexEntry, Location, Query


class MemoryIndex:
    """Holds the entries in dictionaries; passes the same contract suite as Redis."""

    def __init__(self) -> None:
        self._shards: dict[tuple[str, str], dict[str, IndexEntry]] = {}
        self._prepared: dict[tuple[str, str], FloatArray] = {}  # of shards that did not change
        self._state: GalleryState | None = None

    async def state(self) -> GalleryState | None:
        """Return the state as last written."""
        return self._state

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Compare each probe with every entry of its shards."""
        if self._state is None or self._state.epoch != epoch:
            raise DependencyDown("index", "the index was made anew")
        return [self._nearest(query, k) for query in queries]

    def _nearest(self, query: Query, k: int) -> tuple[Neighbour, ...]:
        missing = [c for c in query.clusters if (query.space, c) not in self._shards]
        if missing:
            raise DependencyDown("index", f"no shard {missing[0]} of {query.space}")
        asked = [(query.space, c) for c in query.clusters if self._shards[query.space, c]]
        if not asked:
            return ()
        entries = [entry for shard in asked for entry in self._shards[shard].values()]
        probe = prepare(query.vector[None], Metric.COSINE)
        near = [compare(probe, self._vectors(shard), Metric.COSINE)[0] for shard in asked]
        found = np.concatenate(near)
        nearest = np.argsort(found, kind="stable")[:k]
        return tuple(
            Neighbour(e.entry_id, e.identity, float(found[i]), e.cluster, e.scale)
            for i, e in ((i, entries[i]) for i in nearest)
        )

    def _vectors(self, shard: tuple[str, str]) -> FloatArray:
        """Return the vectors of a shard, made ready once for all searches until it changes."""
        if shard not in self._prepared:
            vectors = np.stack([entry.vector for entry in self._shards[shard].values()])
            self._prepared[shard] = prepare(vectors, Metric.COSINE)
        return self._prepared[shard]

    async def fill(
        self,
        active: Sequence[IndexEntry],
        state: GalleryState,  # noqa: ARG002  sizes decide nothing here
    ) -> None:
        """Put the entries."""
        for entry in active:
            shard = entry.space, entry.cluster
            self._prepared.pop(shard, None)
            self._shards.setdefault(shard, {})[entry.entry_id] = entry

    async def holds(self, state: GalleryState) -> bool:
        """Count the entries of each shard."""
        return all(
            len(self._shards.get(shard, ())) == entries for shard, entries in state.shards.items()
        )

    async def write(
        self, active: Sequence[IndexEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        """Apply the change at once."""
        for location in gone:
            shard = location.space, location.cluster
            self._prepared.pop(shard, None)
            self._shards.get(shard, {}).pop(location.entry_id, None)
        await self.fill(active, state)
        self._state = state

    async def sweep(self, state: GalleryState) -> None:
        """Forget the other shards."""
        for shard in self._shards.keys() - state.shards.keys():
            del self._shards[shard]
            self._prepared.pop(shard, None)

    async def clear(self) -> None:
        """Forget everything."""
        self._shards.clear()
        self._prepared.clear()
        self._state = None

    async def close(self) -> None:
        """Nothing to let go of."""
