"""A service that stands still is told from one that waits, rests or is slow."""

from collections.abc import Iterable

import pytest

from schemas.health import Health, PartitionProgress, Stall
from schemas.metrics import Metrics

AFTER_S = 60


def seen(stall: Stall, steps: Iterable[tuple[PartitionProgress, bool]]) -> list[int]:
    """Feed a second a step; return the seconds at which it said that the partition stands still."""
    said = []
    for second, (place, held_up) in enumerate(steps):
        if stall.see(second, {"frames-0": place}, held_up=held_up) is not None:
            said.append(second)
    return said


@pytest.fixture
def stall() -> Stall:
    return Stall(AFTER_S)


def test_records_that_wait_while_nothing_is_committed(stall: Stall) -> None:
    steps = [(PartitionProgress(7, waiting=True), False)] * (AFTER_S + 3)
    assert seen(stall, steps) == [AFTER_S, AFTER_S + 1, AFTER_S + 2]
    why = stall.see(AFTER_S + 3, {"frames-0": PartitionProgress(7, waiting=True)}, held_up=False)
    assert why == "frames-0 stands still at 7 for 63 s though records wait"


def test_a_partition_that_never_committed_anything(stall: Stall) -> None:
    assert seen(stall, [(PartitionProgress(None, waiting=True), False)] * (AFTER_S + 1)) == [
        AFTER_S
    ]


def test_nothing_to_do_is_no_stall(stall: Stall) -> None:
    assert seen(stall, [(PartitionProgress(7, waiting=False), False)] * 500) == []


def test_slow_progress_is_no_stall(stall: Stall) -> None:
    assert (
        seen(stall, [(PartitionProgress(i // 50, waiting=True), False) for i in range(500)]) == []
    )


def test_a_dependency_that_is_down_is_no_stall_and_the_count_begins_after_it(stall: Stall) -> None:
    held_up = [(PartitionProgress(7, waiting=True), True)] * 500
    after = [(PartitionProgress(7, waiting=True), False)] * AFTER_S
    assert seen(stall, held_up + after) == [499 + AFTER_S]


def test_a_rebalance_forgets_what_is_committed_and_not_how_long_it_stands(stall: Stall) -> None:
    """Else a group that rebalances every 20 s would never be noticed."""
    steps = [
        (PartitionProgress(None if i % 20 == 0 else 7, waiting=True), False) for i in range(1, 90)
    ]
    assert min(seen(stall, steps)) <= AFTER_S + 1


def test_a_partition_that_is_given_away_is_forgotten(stall: Stall) -> None:
    stall.see(0, {"frames-0": PartitionProgress(7, waiting=True)}, held_up=False)
    assert stall.see(70, {}, held_up=False) is None
    assert stall.see(80, {"frames-0": PartitionProgress(7, waiting=True)}, held_up=False) is None


def test_the_one_that_stands_longest_is_named(stall: Stall) -> None:
    waits = PartitionProgress(7, waiting=True)
    stall.see(0, {"frames-0": waits}, held_up=False)
    stall.see(9, {"frames-0": waits, "frames-1": waits}, held_up=False)
    why = stall.see(99, {"frames-0": waits, "frames-1": waits}, held_up=False)
    assert str(why).startswith("frames-0 stands still")


def test_it_is_counted(metrics: Metrics, health: Health) -> None:
    def gauge() -> float | None:
        return metrics.registry.get_sample_value("perennial_stalled")

    assert gauge() == 0
    for why, value in (("frames-0 stands still", 1), (None, 0)):
        health.stands_still(why)
        assert (gauge(), health.stall) == (value, why)


def test_a_service_is_held_up_by_any_part_that_is_down(health: Health) -> None:
    states = [health.held_up]
    health.up("kafka")
    health.down("redis", "connection refused")
    states.append(health.held_up)
    health.up("redis")
    states.append(health.held_up)
    assert states == [False, True, False]
