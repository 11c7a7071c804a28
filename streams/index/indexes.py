"""The RediSearch indexes of the shards: made, built anew as another kind, and dropped."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import groupby

from redis.asyncio import Redis
from redis.commands.search.index_definition import IndexDefinition, IndexType

from streams.index.fence import Fence
from streams.index.shard import Shard, alias_of


class Indexes:
    """All indexes below a prefix.

    Args:
        hnsw_above: a shard of more entries gets an HNSW index, else a FLAT one.
    """

    def __init__(self, redis: Redis, fence: Fence, prefix: str, hnsw_above: int) -> None:
        self._redis = redis
        self._fence = fence
        self._prefix = prefix
        self._hnsw_above = hnsw_above

    async def present(self) -> set[str]:
        """Return the names of those that Redis has."""
        names = {name.decode() for name in await self._redis.execute_command("FT._LIST")}
        return {name for name in names if name.startswith(self._prefix)}

    async def prepare(
        self, dimensions: Mapping[Shard, int], sizes: Mapping[Shard, int], term: int
    ) -> None:
        """Make sure that every shard to be written has an index that fits its size."""
        present = await self.present()
        for shard, dimension in dimensions.items():
            wanted = "hnsw" if sizes.get(shard, 0) > self._hnsw_above else "flat"
            if shard.index("hnsw") in present:
                wanted = "hnsw"  # a shard that shrank keeps its graph
            await self._build(shard, wanted, dimension, present, term)

    async def drop(self, names: Iterable[str], term: int) -> None:
        """Drop indexes; of two of one shard the last one takes the entries with it."""
        for _, some in groupby(sorted(names), key=alias_of):
            *others, last = some
            async with self._fence.writing(term) as pipe:
                for name in others:
                    pipe.execute_command("FT.DROPINDEX", name)
                pipe.execute_command("FT.DROPINDEX", last, "DD")

    async def _build(
        self, shard: Shard, algorithm: str, dimension: int, present: set[str], term: int
    ) -> None:
        """Build an index beside the old one, wait until it is complete, then swap the alias."""
        name, flat = shard.index(algorithm), shard.index("flat")
        grows = algorithm == "hnsw" and flat in present
        if name not in present:
            schema = shard.schema(algorithm, dimension)
            async with self._fence.writing(term) as pipe:
                # A new shard has no entries to look for, and Redis would look at every key it has.
                await pipe.ft(name).create_index(
                    schema.redis_fields,
                    definition=IndexDefinition([schema.index.prefix], index_type=IndexType.HASH),
                    skip_initial_scan=not grows,
                )
                if not grows:
                    pipe.execute_command("FT.ALIASUPDATE", shard.alias, name)
        if grows:
            while await self._is_indexing(name):  # noqa: ASYNC110  Redis does not tell
                await asyncio.sleep(0.02)
            async with self._fence.writing(term) as pipe:
                pipe.execute_command("FT.ALIASUPDATE", shard.alias, name)
                pipe.execute_command("FT.DROPINDEX", flat)

    async def _is_indexing(self, name: str) -> bool:
        return bool(int((await self._redis.execute_command("FT.INFO", name))[b"indexing"]))
