"""The exact twin of the Redis index: brute force over numpy arrays, for tests and comparisons."""

from collections.abc import Sequence

import numpy as np

from recognition.distance import distances
from recognition.match import Neighbour
from schemas.errors import DependencyDown
from schemas.gallery import GalleryEntry
from streams.index.base import GalleryState, Location, Query


class MemoryIndex:
    """Holds the entries in dictionaries; passes the same contract suite as Redis."""

    def __init__(self) -> None:
        self._shards: dict[tuple[str, str], dict[str, GalleryEntry]] = {}
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
        missing = [c for c in query.clusters if (query.model, c) not in self._shards]
        if missing:
            raise DependencyDown("index", f"no shard {missing[0]} of model {query.model}")
        entries = [e for c in query.clusters for e in self._shards[query.model, c].values()]
        if not entries:
            return ()
        found = distances(query.vector[None], np.stack([e.vector for e in entries]))[0]
        nearest = np.argsort(found, kind="stable")[:k]
        return tuple(
            Neighbour(e.entry_id, e.identity, float(found[i]), e.cluster)
            for i, e in ((i, entries[i]) for i in nearest)
        )

    async def write(
        self, active: Sequence[GalleryEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        """Apply the change at once."""
        for location in gone:
            self._shards.get((location.model, location.cluster), {}).pop(location.entry_id, None)
        for entry in active:
            self._shards.setdefault((entry.model, entry.cluster), {})[entry.entry_id] = entry
        self._state = state

    async def clear(self) -> None:
        """Forget everything."""
        self._shards.clear()
        self._state = None

    async def close(self) -> None:
        """Nothing to let go of."""
