"""Keeps a writer that lost the gallery out of Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError

from streams.index.base import taken_over


class Fence:
    """The highest term that has written, under a key of its own.

    A check before a write would not do: a process may be paused between the two, and go on an hour
    later. So Redis itself compares: the write is a transaction that is void when the key changed
    after it was read.
    """

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key

    @asynccontextmanager
    async def writing(self, term: int) -> AsyncIterator[Pipeline]:
        """Yield a transaction; what is put into it is carried out as one, at the end of the block.

        Raises:
            DependencyDown: a higher term has written.
            WatchError: another term wrote just now; try again.
        """
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(self._key)
            held = await _held(pipe, self._key)
            if held > term:
                raise taken_over(held, term)
            pipe.multi()
            if held < term:
                pipe.set(self._key, term)
            yield pipe
            await pipe.execute()

    async def held(self) -> int:
        """Return the highest term that has written, 0 if none has."""
        return await _held(self._redis, self._key)


async def _held(redis: Redis, key: str) -> int:
    try:
        value = await redis.get(key)
        return 0 if value is None else int(value)
    except ValueError:
        return 0  # somebody else's value; the next write puts ours in its place
    except ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise  # we may not read it, say
        return 0
