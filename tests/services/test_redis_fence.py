"""A writer that is paused in the midst of a write to Redis, while another takes over."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from redis.asyncio import Redis

from access.redis import async_redis_client
from recognition.cluster import EVERYWHERE
from schemas.errors import DependencyDown
from schemas.settings import Settings
from streams.index.base import GalleryState, IndexDiffers, IndexEntry, Query, ShardState
from streams.index.fence import Fence
from streams.index.reading import answers
from streams.index.redis import RedisIndex
from tests.gallery_entries import MODEL, unit


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with async_redis_client(settings, protocol=3) as client:
        yield client


@pytest.fixture
async def index(settings: Settings) -> AsyncIterator[RedisIndex]:
    made = RedisIndex.of(settings)
    yield made
    await made.remove()
    await made.close()


def state(count: int) -> GalleryState:
    shard = ShardState(entries=count, identities=count, threshold=0.5)
    models = {MODEL: {"all": shard, EVERYWHERE: shard}}
    return GalleryState(epoch="one", position=count, models=models)


def entry(number: int, vector: np.ndarray) -> IndexEntry:
    return IndexEntry(f"e{number}", f"id{number}", MODEL, "all", unit(vector))


async def test_a_write_that_was_begun_before_another_took_over_is_void(
    redis: Redis, settings: Settings
) -> None:
    key, value = f"{settings.topic_prefix}term", f"{settings.topic_prefix}value"
    paused, other = Fence(redis, key), Fence(redis, key)
    async with other.writing(3) as pipe:
        pipe.set(value, "of term 3")

    async def write_too_late() -> None:
        with answers():
            async with paused.writing(3) as late:
                async with other.writing(4) as pipe:
                    pipe.set(value, "of term 4")
                late.set(value, "too late")

    with pytest.raises(DependencyDown):
        await write_too_late()
    assert await redis.get(value) == b"of term 4"
    with pytest.raises(DependencyDown, match="written in term 4, ours is 3"):
        await write_too_late()
    assert await redis.get(value) == b"of term 4"
    await redis.delete(key, value)


@pytest.mark.parametrize("foreign", ["a text", "a list"])
async def test_what_is_no_term_is_replaced_by_one(
    redis: Redis, settings: Settings, foreign: str
) -> None:
    key = f"{settings.topic_prefix}term"
    await (redis.set(key, "x") if foreign == "a text" else redis.rpush(key, "x"))
    async with Fence(redis, key).writing(2) as pipe:
        pipe.get(key)
    assert await redis.get(key) == b"2"
    await redis.delete(key)


async def test_searching_beside_enrolling_shows_no_difference(index: RedisIndex) -> None:
    """Entries and state change together, and are read together: not one search is in doubt."""
    rng = np.random.default_rng(5)
    entries = [entry(i, rng.normal(size=32)) for i in range(80)]
    await index.write(entries[:20], [], state(20), 1)
    enrolled = 20

    async def enrol() -> None:
        nonlocal enrolled
        for some in range(21, len(entries) + 1):
            await index.write(entries[some - 1 : some], [], state(some), 1)
            enrolled = some

    async def search() -> int:
        searches = 0
        while enrolled < len(entries):
            queries = [Query(e.vector, MODEL, ("all",)) for e in entries[:8]]
            found = await index.search(queries, 3, "one")
            assert [near[0].entry_id for near in found] == [e.entry_id for e in entries[:8]]
            searches += 1
        return searches

    _, searches = await asyncio.gather(enrol(), search())
    assert searches > 10


async def test_a_hash_without_its_vector_is_counted_but_gives_no_answer(
    index: RedisIndex, redis: Redis, settings: Settings
) -> None:
    entries = [entry(i, np.eye(8)[i]) for i in range(4)]
    await index.write(entries, [], state(4))
    async for key in redis.scan_iter(f"{settings.topic_prefix}gallery:*:e2"):
        await redis.hdel(key, "vector")
    assert await index.holds(state(4)), "so the count alone does not tell"
    with pytest.raises(IndexDiffers, match="gave 3 of 4"):
        await index.search([Query(entries[2].vector, MODEL, ("all",))], 10, "one")
    assert await index.altered(entries) == [entries[2]]
