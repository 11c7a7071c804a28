"""The Redis index: one HASH per entry, one RediSearch index per shard, reached by an alias."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from redisvl.exceptions import RedisVLError
from redisvl.index import AsyncSearchIndex

from recognition.match import Neighbour
from schemas.errors import DependencyDown
from schemas.gallery import GalleryEntry
from streams.index.base import EVERYWHERE, GalleryState, Location, Query
from streams.index.shard import Shard

_WRITE_BATCH = 500


class RedisIndex:
    """Searches and writes the shards; see :class:`streams.index.base.Index` for the promises."""

    def __init__(self, client: Redis, prefix: str, hnsw_above: int) -> None:
        self._redis = client
        self._prefix = prefix
        self._hnsw_above = hnsw_above
        self._state_key = f"{prefix}gallery-state"

    @classmethod
    def connect(cls, url: str, *, prefix: str, hnsw_above: int, timeout_s: float) -> Self:
        """Return an index on the server at ``url``; connects when first used."""
        client = Redis.from_url(
            url, protocol=3, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        return cls(client, prefix, hnsw_above)

    async def state(self) -> GalleryState | None:
        """Return the state, read afresh."""
        with _answers():
            return _read_state(await self._redis.get(self._state_key))

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Ask all shards of all queries in one pipelined round, and the state after them."""
        shards = [[self._shard(q.model, c) for c in q.clusters] for q in queries]
        with _answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                for query, targets in zip(queries, shards, strict=True):
                    for shard in targets:
                        pipe.execute_command(*shard.search(query.vector, k))
                pipe.get(self._state_key)
                *answers, state = await pipe.execute()
        after = _read_state(state)
        if after is None or after.epoch != epoch:
            raise DependencyDown("redis", "the index was made anew during the search")
        remaining = iter(answers)
        return [_merge(targets, remaining, k) for targets in shards]

    async def write(
        self, active: Sequence[GalleryEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        """Create missing indexes, then write entries, removals and last the state."""
        await self._prepare(active, state)
        with _answers():
            for start in range(0, len(active), _WRITE_BATCH):
                await self._put(active[start : start + _WRITE_BATCH])
            async with self._redis.pipeline(transaction=False) as pipe:
                for location in gone:
                    shard = self._shard(location.model, location.cluster)
                    pipe.delete(shard.key(location.entry_id))
                pipe.set(self._state_key, state.model_dump_json())
                await pipe.execute()

    async def clear(self) -> None:
        """Drop the state, then every index and entry below the prefix."""
        with _answers():
            await self._redis.delete(self._state_key)
            for name in await self._indexes():
                await self._redis.execute_command("FT.DROPINDEX", name, "DD")

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _shard(self, model: str, cluster: str) -> Shard:
        return Shard(self._prefix, model, cluster)

    async def _put(self, entries: Iterable[GalleryEntry]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in entries:
                key = self._shard(entry.model, entry.cluster).key(entry.entry_id)
                vector = entry.vector.astype("<f4").tobytes()
                pipe.hset(key, mapping={"identity": entry.identity, "vector": vector})
            await pipe.execute()

    async def _prepare(self, active: Sequence[GalleryEntry], state: GalleryState) -> None:
        """Make sure that every shard to be written has an index that fits its size."""
        dimensions = {(e.model, e.cluster): e.vector.size for e in active}
        sizes: dict[tuple[str, str], int] = defaultdict(int)
        for model, shards in state.models.items():
            sizes |= {(model, c): s.entries for c, s in shards.items() if c != EVERYWHERE}
        with _answers():
            present = await self._indexes()
            for (model, cluster), dimension in dimensions.items():
                shard = self._shard(model, cluster)
                wanted = "hnsw" if sizes[model, cluster] > self._hnsw_above else "flat"
                if shard.index("hnsw") in present:
                    wanted = "hnsw"  # a shard that shrank keeps its graph
                await self._build(shard, wanted, dimension, present)

    async def _build(self, shard: Shard, algorithm: str, dimension: int, present: set[str]) -> None:
        """Build an index beside the old one, wait until it is complete, then swap the alias."""
        if shard.index(algorithm) not in present:
            index = AsyncSearchIndex(shard.schema(algorithm, dimension), redis_client=self._redis)
            await index.create()
            while int((await index.info())["indexing"]):  # noqa: ASYNC110  Redis does not tell
                await asyncio.sleep(0.02)
        await self._redis.execute_command("FT.ALIASUPDATE", shard.alias, shard.index(algorithm))
        if algorithm == "hnsw" and shard.index("flat") in present:
            await self._redis.execute_command("FT.DROPINDEX", shard.index("flat"))

    async def _indexes(self) -> set[str]:
        names = {name.decode() for name in await self._redis.execute_command("FT._LIST")}
        return {name for name in names if name.startswith(f"{self._prefix}gallery:")}


def _read_state(value: bytes | str | None) -> GalleryState | None:
    return None if value is None else GalleryState.model_validate_json(value)


def _merge(shards: Sequence[Shard], answers: Any, k: int) -> tuple[Neighbour, ...]:
    found: list[Neighbour] = []
    for shard, answer in zip(shards, answers, strict=False):  # takes just as many as it needs
        if answer[b"warning"]:  # RediSearch says here that it ran out of time: a partial answer
            raise DependencyDown("redis", f"shard {shard.alias}: {answer[b'warning']}")
        found.extend(shard.neighbours(answer[b"results"]))
    return tuple(sorted(found, key=lambda n: (n.distance, n.entry_id))[:k])


@contextmanager
def _answers() -> Iterator[None]:
    """Turn every way in which Redis can fail to answer into ``DependencyDown``."""
    try:
        yield
    except ResponseError as error:
        raise DependencyDown("redis", f"refused: {error}") from error
    except (RedisError, RedisVLError, OSError, TimeoutError) as error:
        raise DependencyDown("redis", f"{type(error).__name__}: {error}") from error
