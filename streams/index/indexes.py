"""The RediSearch indexes of the shards: made, built anew as another kind, and dropped."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from itertools import groupby

from redis.asyncio import Redis
from redis.commands.search.index_definition import IndexDefinition, IndexType

from streams.index.accuracy import measure
from streams.index.effort import Effort, read_efforts, write_efforts
from streams.index.fence import Fence
from streams.index.reading import text_of
from streams.index.shard import Shard, alias_of

_GROWTH = 2  # measured again at so many times the entries
log = logging.getLogger(__name__)


class Indexes:
    """All indexes below a prefix.

    Args:
        hnsw_above: a shard of more entries gets an HNSW index where that is worth it; see
            :mod:`streams.index.accuracy`.
        effort_key: holds what was measured of the shards.
    """

    def __init__(
        self, redis: Redis, fence: Fence, prefix: str, hnsw_above: int, effort_key: str
    ) -> None:
        self._redis = redis
        self._fence = fence
        self._prefix = prefix
        self._hnsw_above = hnsw_above
        self._effort_key = effort_key

    async def present(self) -> set[str]:
        """Return the names of those that Redis has."""
        names = {name.decode() for name in await self._redis.execute_command("FT._LIST")}
        return {name for name in names if name.startswith(self._prefix)}

    async def prepare(self, dimensions: Mapping[Shard, int], term: int) -> None:
        """Make sure that every shard to be written has an index; a new one is exact."""
        present = await self.present()
        for shard, dimension in dimensions.items():
            if not any(map(shard.is_own, present)):
                await self._create(shard, "flat", dimension, term, new=True)

    async def refine(self, sizes: Mapping[Shard, int], term: int) -> None:
        """Give every large shard the index that serves it best, when it became so or doubled."""
        large = {s: entries for s, entries in sizes.items() if entries > self._hnsw_above}
        if not large:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._effort_key)
            (answer,) = await pipe.execute(raise_on_error=False)
        efforts = read_efforts(text_of(self._effort_key, answer))
        for shard, entries in large.items():
            known = efforts.get(shard.alias)
            if known is None or entries >= _GROWTH * known.entries:
                await self._measure(shard, efforts, term)

    async def drop(self, names: Iterable[str], term: int) -> None:
        """Drop indexes; of two of one shard the last one takes the entries with it."""
        for _, some in groupby(sorted(names), key=alias_of):
            *others, last = some
            async with self._fence.writing(term) as pipe:
                for name in others:
                    pipe.execute_command("FT.DROPINDEX", name)
                pipe.execute_command("FT.DROPINDEX", last, "DD")

    async def _measure(self, shard: Shard, efforts: dict[str, Effort], term: int) -> None:
        """Build both indexes, compare them, let the alias lead to the better, drop the other."""
        present = await self.present()
        entries = await self._entries(shard)
        if entries == 0:
            return  # it is about to be filled
        page = await self._redis.execute_command(*shard.page(0, 1))
        (vector,) = shard.vectors(page[b"results"]).values()
        for algorithm in ("flat", "hnsw"):
            if shard.index(algorithm) not in present:
                await self._create(shard, algorithm, vector.size, term, new=False)
            while await self._is_indexing(shard.index(algorithm)):  # noqa: ASYNC110  Redis is mute
                await asyncio.sleep(0.02)
        effort = await measure(self._redis, shard, entries)
        log.info("shard %s of %s entries: %s", shard.alias, entries, effort)
        efforts[shard.alias] = effort
        kept, left = ("flat", "hnsw") if effort.ef is None else ("hnsw", "flat")
        async with self._fence.writing(term) as pipe:
            pipe.execute_command("FT.ALIASUPDATE", shard.alias, shard.index(kept))
            pipe.execute_command("FT.DROPINDEX", shard.index(left))
            pipe.set(self._effort_key, write_efforts(efforts))

    async def _create(
        self, shard: Shard, algorithm: str, dimension: int, term: int, *, new: bool
    ) -> None:
        """Create an index; the alias leads to that of a new shard."""
        schema = shard.schema(algorithm, dimension)
        definition = IndexDefinition([schema.index.prefix], index_type=IndexType.HASH)
        async with self._fence.writing(term) as pipe:
            # A new shard has no entries to look for, and Redis would look at every key it has.
            await pipe.ft(shard.index(algorithm)).create_index(
                schema.redis_fields, definition=definition, skip_initial_scan=new
            )
            if new:
                pipe.execute_command("FT.ALIASUPDATE", shard.alias, shard.index(algorithm))

    async def _entries(self, shard: Shard) -> int:
        return int((await self._redis.execute_command("FT.INFO", shard.alias))[b"num_docs"])

    async def _is_indexing(self, name: str) -> bool:
        return bool(int((await self._redis.execute_command("FT.INFO", name))[b"indexing"]))
