"""The keys below our prefix, gone through bit by bit: what lies there must be an entry of ours."""

from collections.abc import AsyncIterator, Callable, Mapping

from redis.asyncio import Redis

from streams.index.base import IndexKey
from streams.index.fence import Fence

_MAX_KEYS = 10_000  # keys of the whole database that one call of SCAN passes: some milliseconds

SpaceCluster = tuple[str, str]
"""Space and cluster."""


class Strays:
    """Finds and removes keys below a prefix.

    Where one index was dropped without its hashes, they lie there still, of erased people too.
    """

    def __init__(self, redis: Redis, fence: Fence, prefix: str) -> None:
        self._redis = redis
        self._fence = fence
        self._prefix = prefix
        self._cursor = 0

    async def expel(
        self,
        places: Mapping[str, SpaceCluster],
        belongs: Callable[[IndexKey], bool],
        share: float,
        term: int,
    ) -> list[str]:
        """Pass the next share of the database's keys; remove those that are no entry.

        Args:
            places: by the alias of each shard its space and cluster.
            belongs: whether an entry lies at a location.
        """
        count = min(_MAX_KEYS, 1 + int(share * await self._redis.dbsize()))
        self._cursor, keys = await self._scan(self._cursor, count)
        strays = [key for key in keys if not _is_entry(key, places, belongs)]
        await self._remove(strays, term)
        return [key.decode(errors="replace") for key in strays]

    async def expel_all(self, term: int) -> None:
        """Remove every key."""
        async for keys in self._all():
            await self._remove(keys, term)
        self._cursor = 0

    async def _all(self) -> AsyncIterator[list[bytes]]:
        cursor = -1
        while cursor != 0:
            cursor, keys = await self._scan(max(0, cursor), _MAX_KEYS)
            yield keys

    async def _scan(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        after, keys = await self._redis.scan(cursor, f"{self._prefix}*", count)
        return int(after), [key.encode() if isinstance(key, str) else key for key in keys]

    async def _remove(self, keys: list[bytes], term: int) -> None:
        if keys:
            async with self._fence.writing(term) as pipe:
                pipe.delete(*keys)


def _is_entry(
    key: bytes, places: Mapping[str, SpaceCluster], belongs: Callable[[IndexKey], bool]
) -> bool:
    try:
        alias, _, rest = key.decode().partition("}:")
    except UnicodeDecodeError:
        return False
    place = places.get(alias + "}")
    return place is not None and belongs(IndexKey(rest, *place))
