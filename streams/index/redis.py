"""The Redis index: one HASH per entry, one RediSearch index per shard, reached by an alias."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from redis.asyncio import Redis
from redis.commands.search.index_definition import IndexDefinition, IndexType
from redis.exceptions import RedisError, ResponseError

from recognition.match import Neighbour
from schemas.errors import DependencyDown
from streams.index.base import GalleryState, IndexEntry, Location, Query
from streams.index.shard import Shard, alias_of

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
        shards = [[self._shard(q.space, c) for c in q.clusters] for q in queries]
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

    async def fill(self, active: Sequence[IndexEntry], state: GalleryState) -> None:
        """Create missing indexes, of the kind that fits their size in ``state``; write entries."""
        await self._prepare(active, state)
        with _answers():
            for start in range(0, len(active), _WRITE_BATCH):
                await self._put(active[start : start + _WRITE_BATCH])

    async def holds(self, state: GalleryState) -> bool:
        """Ask every shard how many entries it has indexed."""
        with _answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                for space, cluster in state.shards:
                    pipe.execute_command("FT.INFO", self._shard(space, cluster).alias)
                answers = await pipe.execute(raise_on_error=False)
        # A shard that is missing is refused, and its answer an error.
        held = [-1 if isinstance(a, ResponseError) else int(a[b"num_docs"]) for a in answers]
        return held == list(state.shards.values())

    async def write(
        self, active: Sequence[IndexEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        """Write entries, then removals, and last the state."""
        await self.fill(active, state)
        with _answers():
            async with self._redis.pipeline(transaction=False) as pipe:
                for location in gone:
                    shard = self._shard(location.space, location.cluster)
                    pipe.delete(shard.key(location.entry_id))
                pipe.set(self._state_key, state.model_dump_json())
                await pipe.execute()

    async def sweep(self, state: GalleryState) -> None:
        """Drop the indexes of other shards, with their entries."""
        named = {self._shard(*shard).alias for shard in state.shards}
        with _answers():
            await self._drop(n for n in await self._indexes() if alias_of(n) not in named)

    async def clear(self) -> None:
        """Drop the state, then every index and entry below the prefix."""
        with _answers():
            await self._redis.delete(self._state_key)
            await self._drop(await self._indexes())

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _shard(self, space: str, cluster: str) -> Shard:
        return Shard(self._prefix, space, cluster)

    async def _put(self, entries: Iterable[IndexEntry]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.execute_command(*self._shard(entry.space, entry.cluster).put(entry))
            await pipe.execute()

    async def _prepare(self, active: Sequence[IndexEntry], state: GalleryState) -> None:
        """Make sure that every shard to be written has an index that fits its size."""
        dimensions = {(e.space, e.cluster): e.vector.size for e in active}
        sizes = state.shards
        with _answers():
            present = await self._indexes()
            for place, dimension in dimensions.items():
                shard = self._shard(*place)
                wanted = "hnsw" if sizes.get(place, 0) > self._hnsw_above else "flat"
                if shard.index("hnsw") in present:
                    wanted = "hnsw"  # a shard that shrank keeps its graph
                await self._build(shard, wanted, dimension, present)

    async def _build(self, shard: Shard, algorithm: str, dimension: int, present: set[str]) -> None:
        """Build an index beside the old one, wait until it is complete, then swap the alias."""
        name, flat = shard.index(algorithm), shard.index("flat") in present
        if name not in present:
            schema = shard.schema(algorithm, dimension)
            # A new shard has no entries to look for, and Redis would look at every key it has.
            await self._redis.ft(name).create_index(
                schema.redis_fields,
                definition=IndexDefinition([schema.index.prefix], index_type=IndexType.HASH),
                skip_initial_scan=not flat,
            )
            while await self._is_indexing(name):  # noqa: ASYNC110  Redis does not tell
                await asyncio.sleep(0.02)
        await self._redis.execute_command("FT.ALIASUPDATE", shard.alias, name)
        if algorithm == "hnsw" and flat:
            await self._redis.execute_command("FT.DROPINDEX", shard.index("flat"))

    async def _is_indexing(self, name: str) -> bool:
        return bool(int((await self._redis.execute_command("FT.INFO", name))[b"indexing"]))

    async def _drop(self, names: Iterable[str]) -> None:
        """Drop indexes; of two of one shard the last one takes the entries with it."""
        last: dict[str, str] = {}
        for name in sorted(names):
            before = last.get(alias_of(name))
            if before is not None:
                await self._redis.execute_command("FT.DROPINDEX", before)
            last[alias_of(name)] = name
        for name in last.values():
            await self._redis.execute_command("FT.DROPINDEX", name, "DD")

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
    except (RedisError, OSError, TimeoutError) as error:
        raise DependencyDown("redis", f"{type(error).__name__}: {error}") from error
