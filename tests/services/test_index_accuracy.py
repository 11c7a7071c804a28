"""A shard that became large on a real Redis: its graph finds the nearest entry, or is not used."""

import asyncio
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import numpy as np
import pytest
from redis.asyncio import Redis

from access.redis import async_redis_client
from recognition.cluster import EVERYWHERE
from schemas.event import FloatVector
from schemas.settings import Settings
from streams.index import accuracy, indexes
from streams.index.base import GalleryState, IndexDiffers, IndexEntry, Query, ShardState
from streams.index.effort import Effort, read_efforts
from streams.index.redis import RedisIndex

MODEL, CLUSTER = "m@000000000000", "summer"
LARGE = 1500


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with async_redis_client(settings, protocol=3) as client:
        yield client


@pytest.fixture
async def index(settings: Settings) -> AsyncIterator[RedisIndex]:
    made = RedisIndex.of(settings.model_copy(update={"hnsw_above": LARGE - 1}))
    yield made
    await made.remove()
    await made.close()


def points(count: int, dimension: int, seed: int) -> FloatVector:
    """Points all over the sphere: no graph finds its way among them as among identities."""
    raw = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


def entries(vectors: FloatVector, start: int = 0) -> list[IndexEntry]:
    return [
        IndexEntry(f"e{start + row}", f"id{row % 9}", MODEL, CLUSTER, vector)
        for row, vector in enumerate(vectors)
    ]


def state(count: int, dimension: int, epoch: str = "one") -> GalleryState:
    shard = ShardState(entries=count, identities=9, threshold=None)
    models = {MODEL: {CLUSTER: shard, EVERYWHERE: shard}}
    return GalleryState(epoch=epoch, position=count, models=models, dimensions={MODEL: dimension})


async def kinds(redis: Redis, settings: Settings) -> set[str]:
    names = [name.decode() for name in await redis.execute_command("FT._LIST")]
    return {n.rsplit(".", 1)[1] for n in names if n.startswith(settings.topic_prefix)}


async def effort(redis: Redis, settings: Settings) -> Effort:
    table = read_efforts(await redis.get(f"{settings.topic_prefix}gallery-effort"))
    (only,) = table.values()
    return only


async def recall(index: RedisIndex, held: FloatVector, probes: FloatVector) -> float:
    """The share of probes whose nearest entry is as near as numpy says."""
    queries = [Query(probe, MODEL, (CLUSTER,)) for probe in probes]
    nearest = [found[0].distance for found in await index.search(queries, 1, "one")]
    exact = 1 - (probes @ held.T).max(axis=1)
    return float(np.mean(np.array(nearest) <= exact * (1 + 1e-3) + 1e-5))


def any_graph_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a graph though the exact search may be as fast, as it is of so few entries."""
    monkeypatch.setattr(accuracy, "MIN_RECALL", 0.0)
    monkeypatch.setattr(accuracy, "MAX_COST", 1e6)


async def test_the_effort_is_measured_and_every_probe_finds_its_nearest(
    index: RedisIndex, redis: Redis, settings: Settings
) -> None:
    held = points(LARGE, 24, 0)
    await index.write(entries(held[:200]), [], state(200, 24))
    assert await kinds(redis, settings) == {"flat"}
    await index.write(entries(held[200:], 200), [], state(LARGE, 24))
    await index.write([], [], state(LARGE, 24))
    assert await index.state() is not None
    probes = points(400, 24, 1)
    # .99 was made sure of by other probes; these are 400, and the points as hard as points can be.
    assert await recall(index, held, probes) >= 0.96
    if await kinds(redis, settings) == {"hnsw"}:  # else the exact search is as fast here
        measured = await effort(redis, settings)
        assert measured.ef is not None
        assert measured.recall >= 0.99


async def test_a_graph_that_is_not_worth_it_leaves_the_shard_exact(
    index: RedisIndex, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "MIN_RECALL", 1.1)
    held = points(LARGE, 24, 0)
    await index.write(entries(held), [], state(LARGE, 24))
    await index.write([], [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"flat"}
    assert (await effort(redis, settings)).ef is None
    assert await index.state() is not None
    assert await recall(index, held, points(200, 24, 1)) == 1

    measured: list[int] = []

    async def watched(*arguments: object) -> Effort:
        measured.append(1)
        return await accuracy.measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(indexes, "measure", watched)
    await index.write([], [], state(LARGE, 24))
    assert measured == [], "it is not tried with every write"
    more = points(LARGE, 24, 2)
    await index.write(entries(more, LARGE), [], state(2 * LARGE, 24))
    await index.write([], [], state(2 * LARGE, 24))
    assert len(measured) == 1, "but when it has doubled"


async def test_a_searcher_that_knows_the_effort_of_another_index_searches_again(
    index: RedisIndex, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks a graph's question of an exact index, or the other way round."""
    held = points(LARGE, 24, 0)
    any_graph_will_do(monkeypatch)
    await index.write(entries(held), [], state(LARGE, 24))
    await index.write([], [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"hnsw"}
    searcher = RedisIndex.of(settings)
    assert await searcher.state() is not None
    monkeypatch.setattr(accuracy, "MIN_RECALL", 1.1)
    key = f"{settings.topic_prefix}gallery-effort"
    await redis.delete(key)
    await index.write([], [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"flat"}
    queries = [Query(held[0], MODEL, (CLUSTER,))]
    with pytest.raises(IndexDiffers):
        await searcher.search(queries, 1, "one")
    assert await searcher.state() is not None
    ((nearest,),) = await searcher.search(queries, 1, "one")
    assert nearest.entry_id == "e0"
    await searcher.close()


async def test_what_somebody_else_keeps_under_its_key_stops_nobody(
    index: RedisIndex,
    redis: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    any_graph_will_do(monkeypatch)
    held, key = points(LARGE, 24, 0), f"{settings.topic_prefix}gallery-effort"
    await index.write(entries(held[:200]), [], state(200, 24))
    await redis.lpush(key, "theirs")
    for _ in range(3):
        assert await index.state() is not None
    assert await recall(index, held[:200], points(50, 24, 1)) == 1
    assert sum(key in record.message for record in caplog.records) == 1, "it is told of once"
    await index.write(entries(held[200:], 200), [], state(LARGE, 24))
    await index.write([], [], state(LARGE, 24))
    assert (await effort(redis, settings)).ef is not None


async def test_a_writer_that_is_killed_while_it_measures(
    index: RedisIndex, redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_graph_will_do(monkeypatch)
    held, before = points(LARGE, 24, 0), LARGE - 100
    await index.write(entries(held[:before]), [], state(before, 24))
    with monkeypatch.context() as killed:
        killed.setattr(indexes, "measure", AsyncMock(side_effect=asyncio.CancelledError))
        with pytest.raises(asyncio.CancelledError):
            await index.write(entries(held[before:], before), [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"flat", "hnsw"}
    assert await recall(index, held[:before], points(100, 24, 1)) == 1, "searches go on, exactly"
    await index.write(entries(held[before:], before), [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"hnsw"}


@pytest.mark.parametrize("value", ["{}", "nonsense", '{"a": {"ef": "x"}}'])
async def test_a_table_that_was_lost_or_spoilt_costs_time_not_accuracy(
    index: RedisIndex,
    redis: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    any_graph_will_do(monkeypatch)
    held = points(LARGE, 24, 0)
    await index.write(entries(held), [], state(LARGE, 24))
    await index.write([], [], state(LARGE, 24))
    assert await kinds(redis, settings) == {"hnsw"}
    await redis.set(f"{settings.topic_prefix}gallery-effort", value)
    assert await index.state() is not None
    assert await recall(index, held, points(200, 24, 1)) >= 0.99
    monkeypatch.undo()
    await index.write([], [], state(LARGE, 24))
    assert (await effort(redis, settings)).entries == LARGE, "the writer measures again"
