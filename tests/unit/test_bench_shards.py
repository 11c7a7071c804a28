"""The benchmark of shards: its world, its ratios, and a tiny run on a real Redis."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import typer
from redis import Redis

from benchmarks.shards import __main__ as shards
from benchmarks.shards.laps import Lap, Recall
from benchmarks.shards.measure import Plan, lookups, rules
from benchmarks.shards.rows import Variant, row
from benchmarks.shards.world import SHOTS, World, recall
from infra.local.embedded import Services
from schemas.errors import DependencyDown
from streams.index import accuracy
from streams.index.redis import RedisIndex
from tests.unit.angles import at_angles


@pytest.fixture
def redis(stack_services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The Redis that the benchmark finds in its settings; a shard of over 100 becomes HNSW."""
    monkeypatch.setenv("PERENNIAL_REDIS_URL", stack_services.redis)
    monkeypatch.setenv("PERENNIAL_HNSW_ABOVE", "100")
    with Redis.from_url(stack_services.redis) as client:
        yield client


def left_behind(redis: Redis) -> list[bytes]:
    indexes = redis.execute_command("FT._LIST")
    return [name for name in (*redis.keys("bench-*"), *indexes) if name.startswith(b"bench-")]


def plan(*, flat: bool) -> Plan:
    return Plan((1,), hnsw_above=100, flat=flat, dimension=8, batch=32, k=10, rounds=1, seconds=0)


def test_the_nearest_entries_of_the_searched_shards_are_known_exactly() -> None:
    world = World(at_angles([0, 10, 20, 30, 40, 50]), at_angles([1, 33]), np.array([0, 3]))
    assert world.exact(1, 1, k=2) == [(0, 1), (3, 4)]
    assert world.exact(2, 1, k=2) == [(0, 2), (3, 5)]  # the shards: 0, 2, 4 and 1, 3, 5
    assert world.searched(1, shards=3, count=2) == (0, 1)
    assert world.exact(3, 2, k=3) == [(0, 1, 3), (3, 4, 1)]  # 0, 3 and 1, 4 for both
    assert world.exact(6, 1, k=3) == [(0,), (3,)]
    assert world.exact(6, 6, k=9) == [(0, 1, 2, 3, 4, 5), (3, 4, 2, 5, 1, 0)]


def test_recall_at_one_and_at_k() -> None:
    wanted, found = [(7, 8, 9), (1, 2)], [(8, 7, 5), (1, 2)]
    assert recall(found, wanted, 1) == 1 / 2
    assert recall(found, wanted, 2) == 1
    assert recall(found, wanted, 3) == 4 / 5


def test_a_probe_looks_like_the_entries_of_its_identity() -> None:
    world = World.draw(300, 64, 128, np.random.default_rng(0))
    for vectors in (world.entries, world.probes):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    identity = np.arange(300) // SHOTS
    own = identity == identity[world.shown][:, None]
    similar = world.probes @ world.entries.T
    assert similar[own].mean() == pytest.approx(0.67, abs=0.03)
    assert similar[~own].mean() == pytest.approx(0, abs=0.03)


def test_ratios_are_taken_within_a_round() -> None:
    """The machine slows down tenfold in the last round: that must not show."""
    one, own, two = Variant("FLAT", 1, 1), Variant("FLAT", 4, 1), Variant("FLAT", 4, 2)
    rates = {one: (100, 200, 10), own: (300, 500, 30), two: (150, 200, 15)}
    laps = {v: [Lap(rate, server=0.25, client=0.5) for rate in r] for v, r in rates.items()}
    found = row(300, two, laps, "FLAT", Recall(1, 0.5))
    assert (found.rate, found.rates) == (150, (150, 200, 15))
    assert found.to_one_index == 1.5  # of 1.5, 1 and 1.5
    assert found.cost == 2  # of 2, 2.5 and 2
    assert (found.server, found.client) == (0.25, 0.5)
    alone = row(300, one, laps, "FLAT", Recall(1, 0.5))
    assert (alone.to_one_index, alone.cost) == (1, 1)


def test_what_is_looked_up_and_by_which_rules() -> None:
    assert [lookups(shards) for shards in (1, 2, 4, 16)] == [[1], [1, 2], [1, 2, 4], [1, 2, 4, 16]]
    assert rules(plan(flat=True), 101) == {"HNSW above 100": 100, "FLAT": 101}
    assert len(rules(plan(flat=False), 101)) == len(rules(plan(flat=True), 100)) == 1


def test_figures_of_a_real_redis(
    redis: Redis, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "MAX_COST", 1e6)  # so small, the exact search is as fast
    shards.main([300], [4], dimension=16, rounds=2, seconds=0, flat=True, as_json=True)
    found = json.loads(capsys.readouterr().out)
    rows = {(r["rule"], r["shards"], r["searched"]): r for r in found["rows"]}
    looked_up = [(1, 1), (4, 1), (4, 2), (4, 4)]
    assert list(rows) == [(rule, *v) for rule in ("HNSW above 100", "FLAT") for v in looked_up]
    assert [r["algorithm"] for r in rows.values()] == ["HNSW"] + 7 * ["FLAT"]
    for one in rows.values():
        assert one["entries"] == 300
        assert len(one["rates"]) == 2
        assert one["rate"] > 0
        assert 0 < one["server"] < 1
        assert one["client"] > 0  # above 1 where the process has other threads
        least = 0.9 if one["algorithm"] == "HNSW" else 1
        assert all(least <= share <= 1 for share in one["recall"].values())
    assert rows["FLAT", 1, 1]["to_one_index"] == rows["FLAT", 4, 1]["cost"] == 1
    assert rows["FLAT", 4, 4]["cost"] > 0
    assert "Redis 8" in found["about"]
    assert left_behind(redis) == []


def test_tables_by_size(redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    shards.main([50, 300], [1], dimension=4, rounds=1, seconds=0, flat=True)
    text = capsys.readouterr().out
    titles = [line for line in text.splitlines() if "entries, " in line]
    assert titles == [
        "50 entries, HNSW above 100",
        "300 entries, HNSW above 100",
        "300 entries, FLAT",
    ]
    assert left_behind(redis) == []


def test_a_run_that_fails_leaves_nothing_in_redis(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        assert left_behind(redis), "the galleries are there"
        raise DependencyDown("redis", "gone")

    monkeypatch.setattr(RedisIndex, "search", fail)
    with pytest.raises(DependencyDown):
        shards.main([20], [2], dimension=4, rounds=1, seconds=0)
    assert left_behind(redis) == []


def test_every_shard_holds_something() -> None:
    with pytest.raises(typer.BadParameter, match="20 entries do not fill 64 shards"):
        shards.main([20, 300])
