"""The gallery agent on a real Redis: what it wrote it knows again, and what it lost it mends."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from access.redis import async_redis_client
from recognition.retain import RetentionRule
from schemas.metrics import Metrics
from schemas.settings import Settings, load_settings
from streams.conditioning.placement import Placements
from streams.gallery.agent import GalleryAgent
from streams.index import accuracy
from streams.index.redis import RedisIndex
from tests.conditionings import DAY, NIGHT, activation, conditioning, saved
from tests.fake_log import FakeConditionings, FakeLog
from tests.gallery_entries import MODEL, enrol


@pytest.fixture
async def index(settings: Settings) -> AsyncIterator[RedisIndex]:
    made = RedisIndex.of(settings)
    yield made
    await made.clear(await made.term())
    await made.close()


def agent(
    index: RedisIndex,
    log: FakeLog,
    metrics: Metrics,
    conditionings: FakeConditionings | None = None,
) -> GalleryAgent:
    wanted = FakeConditionings() if conditionings is None else conditionings
    return GalleryAgent(
        *(load_settings(target_fpir=0.5, shard_by=("season",)), metrics, index),
        Placements(("season",)),
        gallery_log=log.owner(),
        last_activation=wanted,
        ownership=lambda: 1,
        rule=RetentionRule(),
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
    threshold = before.models[MODEL]["*"].threshold
    assert threshold is not None
    await first.tick()
    assert await index.state() == before, "not by the same process"
    second = agent(index, log, metrics)
    await second.tick()
    same = await index.state()
    assert same is not None
    assert (same.epoch, same.shards) == (before.epoch, before.shards), "nor by the next one"
    # Many at once are rounded otherwise than one by one.
    assert same.models[MODEL]["*"].threshold == pytest.approx(threshold, abs=1e-5)
    await index.clear(await index.term())
    await second.tick()
    after = await index.state()
    assert after is not None
    assert (after.shards, after.position) == (before.shards, before.position)
    assert after.epoch != before.epoch


async def test_after_a_rollout_nothing_of_the_old_layout_is_left(
    index: RedisIndex, settings: Settings, metrics: Metrics, tmp_path: Path
) -> None:
    saved(tmp_path, conditioning(12))
    wanted = FakeConditionings()
    writer = agent(index, FakeLog(), metrics, wanted)
    rng = np.random.default_rng(3)
    commands = [
        enrol(f"e{i}", f"id{i % 7}", rng.normal(size=12), background=(DAY, NIGHT, {})[i % 3])
        for i in range(42)
    ]
    await writer.handle([command.record("c") for command in commands])
    shards: list[set[str]] = []
    async with async_redis_client(settings) as client:
        for record in (activation(tmp_path), activation(None), activation(tmp_path)):
            wanted.records.append(record)
            await writer.on_activation_request([])
            await writer.tick()
            state = await index.state()
            assert state is not None
            assert await index.holds(state)
            names = [n.decode() for n in await client.execute_command("FT._LIST")]
            own = {name for name in names if name.startswith(settings.topic_prefix)}
            keys = {k.decode() async for k in client.scan_iter(f"{settings.topic_prefix}gallery:*")}
            assert len(own) == len(state.shards)
            assert len(keys) == sum(state.shards.values()), "each entry lies there once"
            shards.append(own)
    assert shards[0].isdisjoint(shards[1])
    assert shards[0] == shards[2]


async def test_a_large_shard_becomes_hnsw_and_its_flat_index_goes(
    settings: Settings, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few entries can make sure of nothing, and the exact search is as fast.
    monkeypatch.setattr(accuracy, "MIN_RECALL", 0.0)
    monkeypatch.setattr(accuracy, "MAX_COST", 1e6)
    index = RedisIndex.of(settings.model_copy(update={"hnsw_above": 30}))
    writer = agent(index, FakeLog(), metrics)
    rng = np.random.default_rng(4)
    commands = [
        enrol(f"e{i}", f"id{i}", rng.normal(size=12), background={"season": "s"}) for i in range(60)
    ]
    kinds: list[set[str]] = []
    async with async_redis_client(settings) as client:
        for part in (commands[:20], commands[20:]):
            await writer.handle([command.record("c") for command in part])
            names = [n.decode() for n in await client.execute_command("FT._LIST")]
            own = [name for name in names if name.startswith(settings.topic_prefix)]
            kinds.append({name.rsplit(".", 1)[1] for name in own})
    await index.clear(await index.term())
    await index.close()
    assert kinds == [{"flat"}, {"hnsw"}]


async def test_a_shard_takes_vectors_of_another_size_once_no_entry_has_the_old_one(
    index: RedisIndex, metrics: Metrics
) -> None:
    writer = agent(index, FakeLog(), metrics)
    await writer.handle([enrol("wrong", "elm", [1, 0]).record("c")])
    rng = np.random.default_rng(5)
    await writer.handle([enrol(f"e{i}", "oak", rng.normal(size=12)).record("c") for i in range(3)])
    state = await index.state()
    assert state is not None
    assert (state.dimensions, sum(state.shards.values())) == ({MODEL: 12}, 3)
    assert await index.holds(state)
    await writer.tick()
