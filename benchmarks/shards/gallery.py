"""A world enrolled in Redis, cut into shards: all that knows the index's own types."""

from collections.abc import Iterable, Sequence

from benchmarks.shards.world import SHOTS, World
from recognition.cluster import EVERYWHERE
from recognition.decision import Neighbour
from streams.index.base import GalleryState, Index, IndexEntry, Query, ShardState

_MODEL = "bench@000000000000"
_EPOCH = "bench"
_CHUNK = 5000  # entries made at a time: a gallery is never held as Python objects


class Gallery:
    """The entries of a world in an index, dealt out evenly over ``shards`` shards."""

    def __init__(self, world: World, index: Index, shards: int) -> None:
        self.world = world
        self.shards = shards
        self._index = index
        self._state = self._described()
        self._space = self._state.space(_MODEL)

    async def open(self) -> None:
        """Make the indexes, each with one entry.

        Redis looks through all its keys for each new index, so open all galleries before any is
        filled: making 64 shards took 20 s beside 40,000 keys.
        """
        await self._write(range(self.shards))

    async def fill(self) -> None:
        """Write all entries; then each large shard gets the index that serves it best."""
        for start in range(0, len(self.world.entries), _CHUNK):
            await self._index.fill(
                self._entries(range(start, min(start + _CHUNK, len(self.world.entries))))
            )
        await self._write(())

    def queries(self, count: int) -> list[Query]:
        """Return a query per probe, for its own shard and the next ``count`` - 1."""
        return [
            Query(probe, self._space, tuple(map(_name, self.world.searched(i, self.shards, count))))
            for i, probe in enumerate(self.world.probes)
        ]

    async def search(self, queries: Sequence[Query], k: int) -> list[tuple[Neighbour, ...]]:
        """Look a batch up, as the matcher does; the id of an entry is its row in the world."""
        return await self._index.search(queries, k, _EPOCH)

    async def clear(self) -> None:
        """Remove it from Redis and let go of the connection."""
        await self._index.clear()
        await self._index.close()

    async def _write(self, rows: Iterable[int]) -> None:
        await self._index.write(self._entries(rows), [], self._state)

    def _entries(self, rows: Iterable[int]) -> list[IndexEntry]:
        return [self._entry(i) for i in rows]

    def _entry(self, i: int) -> IndexEntry:
        return IndexEntry(
            entry_id=str(i),
            identity=f"identity {i // SHOTS}",
            space=self._space,
            cluster=_name(i % self.shards),
            vector=self.world.entries[i],
        )

    def _described(self) -> GalleryState:
        total, dimension = self.world.entries.shape
        sizes = {
            EVERYWHERE: range(total),
            **{_name(shard): range(shard, total, self.shards) for shard in range(self.shards)},
        }
        states = {
            name: ShardState(
                entries=len(held), identities=len({i // SHOTS for i in held}), threshold=0.5
            )
            for name, held in sizes.items()
        }
        return GalleryState(
            epoch=_EPOCH, position=0, models={_MODEL: states}, dimensions={_MODEL: dimension}
        )


def _name(shard: int) -> str:
    return f"c{shard}"
