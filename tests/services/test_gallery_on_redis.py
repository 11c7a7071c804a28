"""The gallery agent on a real Redis: what it wrote it knows again, and what it lost it mends."""

from collections.abc import AsyncIterator
from datetime import timedelta

import numpy as np
import pytest
from redis.asyncio import Redis

from recognition.retain import RetentionRule
from schemas.metrics import Metrics
from schemas.settings import Settings
from streams.gallery import GalleryAgent
from streams.index.redis import RedisIndex
from streams.plan import Planner
from tests.fake_log import FakeLog
from tests.gallery_entries import enrol


@pytest.fixture
async def index(settings: Settings) -> AsyncIterator[RedisIndex]:
    made = RedisIndex.connect(
        settings.need_redis(), prefix=settings.topic_prefix, hnsw_above=10_000, timeout_s=5
    )
    yield made
    await made.clear()
    await made.close()


def agent(index: RedisIndex, log: FakeLog, metrics: Metrics) -> GalleryAgent:
    return GalleryAgent(
        index,
        log,
        planner=Planner(("season",)),
        rule=RetentionRule(),
        target_fpir=0.01,
        retention_interval=timedelta(hours=1),
        term=lambda: 1,
        metrics=metrics,
    )


async def test_an_index_that_is_as_it_was_left_is_not_written_anew(
    index: RedisIndex, metrics: Metrics
) -> None:
    log = FakeLog()
    first = agent(index, log, metrics)
    rng = np.random.default_rng(3)
    commands = [
        enrol(f"e{i}", f"id{i % 7}", rng.normal(size=12), background={"season": f"s{i % 3}"})
        for i in range(40)
    ]
    await first.handle([command.record("c") for command in commands])
    before = await index.state()
    assert before is not None
    assert before.models["test@000000000000"]["*"].threshold is not None
    await first.tick()
    await agent(index, log, metrics).tick()
    assert await index.state() == before, "neither by the same process nor by the next one"
    await index.clear()
    await first.tick()
    after = await index.state()
    assert after is not None
    assert (after.models, after.position) == (before.models, before.position)
    assert after.epoch != before.epoch


async def test_a_large_shard_becomes_hnsw_and_its_flat_index_goes(
    settings: Settings, metrics: Metrics
) -> None:
    index = RedisIndex.connect(
        settings.need_redis(), prefix=settings.topic_prefix, hnsw_above=30, timeout_s=5
    )
    writer = agent(index, FakeLog(), metrics)
    rng = np.random.default_rng(4)
    commands = [
        enrol(f"e{i}", f"id{i}", rng.normal(size=12), background={"season": "s"}) for i in range(60)
    ]
    kinds: list[set[str]] = []
    async with Redis.from_url(settings.need_redis()) as client:
        for part in (commands[:20], commands[20:]):
            await writer.handle([command.record("c") for command in part])
            names = [n.decode() for n in await client.execute_command("FT._LIST")]
            own = [name for name in names if name.startswith(settings.topic_prefix)]
            kinds.append({name.rsplit(".", 1)[1] for name in own})
    await index.clear()
    await index.close()
    assert kinds == [{"flat"}, {"hnsw"}]
