"""The Redis index: one HASH per entry, one RediSearch index per shard, reached by an alias."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from access.redis import async_redis_client
from recognition.decision import Neighbour
from schemas.settings import Settings
from streams.index.base import GalleryState, IndexDiffers, IndexEntry, IndexKey, Query
from streams.index.effort import Efforts
from streams.index.eviction import eviction_problem
from streams.index.fence import Fence
from streams.index.indexes import Indexes
from streams.index.reading import (
    answers,
    check,
    counted,
    counting,
    merged,
    permitted,
    read_state,
    text_of,
    well,
)
from streams.index.shard import Shard, alias_of
from streams.index.strays import Strays

_WRITE_BATCH = 500

log = logging.getLogger(__name__)


class RedisIndex:
    """Searches and writes the shards; see :class:`streams.index.base.Index` for the promises."""

    def __init__(self, client: Redis, prefix: str, hnsw_above: int) -> None:
        self._redis = client
        self._prefix = prefix
        self._state_key = f"{prefix}gallery-state"
        self._term_key = f"{prefix}gallery-term"
        own = f"{prefix}gallery:"
        self._fence = Fence(client, self._term_key)
        self._effort_key = f"{prefix}gallery-effort"
        self._indexes = Indexes(client, self._fence, own, hnsw_above, self._effort_key)
        self._efforts = Efforts(self._effort_key)
        self._strays = Strays(client, self._fence, own)

    @classmethod
    def connect(cls, url: str, *, prefix: str, hnsw_above: int, timeout_s: float) -> Self:
        """Return an index on the server at ``url``; connects when first used."""
        client = Redis.from_url(
            url, protocol=3, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        return cls(client, prefix, hnsw_above)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the index of a deployment; connects when first used.

        Raises:
            SetupError: the settings name no Redis.
        """
        limit = settings.redis_timeout_s
        client = async_redis_client(
            settings, protocol=3, socket_timeout=limit, socket_connect_timeout=limit
        )
        return cls(client, settings.topic_prefix, settings.hnsw_above)

    async def state(self) -> GalleryState | None:
        """Return the state, read afresh."""
        with answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.get(self._effort_key)
                pipe.get(self._state_key)
                efforts, state = await pipe.execute(raise_on_error=False)
            self._efforts.take(efforts)
            return read_state(text_of(self._state_key, state))

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Ask all shards of all queries, and then their counts, in one pipelined round."""
        asked = {(q.space, c): self._shard(q.space, c) for q in queries for c in q.clusters}
        shards = [[asked[q.space, c] for c in q.clusters] for q in queries]
        with answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                for query, targets in zip(queries, shards, strict=True):
                    for shard in targets:
                        pipe.execute_command(
                            *shard.search(query.vector, k, self._efforts.ef(shard.alias))
                        )
                pipe.execute_command(*counting(self._state_key, list(asked.values())))
                *results, counts = await pipe.execute(raise_on_error=False)
        state = read_state(well(counts)[0])
        if state is None or state.epoch != epoch:
            raise IndexDiffers("it was made anew during the search")
        held, sizes = counted(counts, list(asked.values())), state.shards
        check(held, {shard.alias: sizes.get(place, 0) for place, shard in asked.items()})
        remaining = iter(results)
        return [merged(targets, remaining, k, held) for targets in shards]

    async def fill(self, active: Sequence[IndexEntry], term: int = 0) -> None:
        """Create missing indexes and write entries."""
        with answers():
            await self._prepare(active, term)
            for start in range(0, len(active), _WRITE_BATCH):
                async with self._fence.writing(term) as pipe:
                    self._put(pipe, active[start : start + _WRITE_BATCH])

    async def holds(self, state: GalleryState) -> bool:
        """Ask every shard how many entries it has indexed."""
        sizes = self._sizes(state)
        with answers():
            counts = await self._redis.execute_command(*counting(self._state_key, list(sizes)))
        return list(counted(counts, list(sizes)).values()) == list(sizes.values())

    async def altered(self, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """Read the entries and compare."""
        shards = [self._shard(entry.space, entry.cluster) for entry in entries]
        with answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                for shard, entry in zip(shards, entries, strict=True):
                    pipe.execute_command(*shard.get(entry.entry_id))
                results = await pipe.execute(raise_on_error=False)
        rows = zip(shards, entries, map(permitted, results), strict=True)
        return [entry for shard, entry, fields in rows if not shard.is_right(fields, entry)]

    async def expel(
        self,
        state: GalleryState,
        belongs: Callable[[IndexKey], bool],
        share: float,
        term: int = 0,
    ) -> list[str]:
        """Scan the next keys; those of shards that the state does not name do not belong either."""
        places = {self._shard(*place).alias: place for place in state.shards}
        with answers():
            return await self._strays.expel(places, belongs, share, term)

    async def write(
        self,
        active: Sequence[IndexEntry],
        gone: Sequence[IndexKey],
        state: GalleryState,
        term: int = 0,
    ) -> None:
        """Write removals, entries and the state in one transaction."""
        early = max(0, len(active) - _WRITE_BATCH)
        await self.fill(active[:early], term)
        with answers():
            await self._prepare(active[early:], term)
            await self._indexes.refine(self._sizes(state), term)
            async with self._fence.writing(term) as pipe:
                for place in gone:
                    pipe.delete(self._shard(place.space, place.cluster).key(place.entry_id))
                self._put(pipe, active[early:])
                pipe.set(self._state_key, state.model_dump_json())

    async def sweep(self, state: GalleryState, term: int = 0) -> None:
        """Drop the indexes of other shards, with their entries."""
        named = {self._shard(*shard).alias for shard in state.shards}
        with answers():
            present = await self._indexes.present()
            await self._indexes.drop((n for n in present if alias_of(n) not in named), term)

    async def clear(self, term: int = 0) -> None:
        """Drop the state, then every index, then every entry below the prefix."""
        with answers():
            async with self._fence.writing(term) as pipe:
                pipe.delete(self._state_key, self._effort_key)
            await self._indexes.drop(await self._indexes.present(), term)
            await self._strays.expel_all(term)

    async def remove(self) -> None:
        """Remove everything, the term too: only where no gallery agent runs any more."""
        with answers():
            await self._redis.delete(self._term_key)
        await self.clear()

    async def eviction(self) -> str | None:
        """Ask for the limit of memory and the policy."""
        with answers():
            memory = await self._redis.info("memory")
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        return eviction_problem(policy, int(memory.get("maxmemory", 0)))

    async def term(self) -> int:
        """Ask for the term that the fence holds."""
        with answers():
            return await self._fence.held()

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _shard(self, space: str, cluster: str) -> Shard:
        return Shard(self._prefix, space, cluster)

    def _sizes(self, state: GalleryState) -> dict[Shard, int]:
        return {self._shard(*place): entries for place, entries in state.shards.items()}

    def _put(self, pipe: Pipeline, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            pipe.execute_command(*self._shard(entry.space, entry.cluster).put(entry))

    async def _prepare(self, active: Sequence[IndexEntry], term: int) -> None:
        dimensions = {self._shard(e.space, e.cluster): e.vector.size for e in active}
        if dimensions:
            await self._indexes.prepare(dimensions, term)


@asynccontextmanager
async def redis_index(settings: Settings) -> AsyncIterator[RedisIndex]:
    """Yield the index of a deployment; Redis is asked only when it is used."""
    index = RedisIndex.of(settings)
    try:
        yield index
    finally:
        await index.close()
