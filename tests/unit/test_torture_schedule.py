"""The plan of faults and of visits: pure, and complete."""

from collections import Counter

import pytest

from infra.torture.faults import BROKER, GUESTS, SERVICES, Act, Fault, rebalances, schedule

SECONDS = 600.0


def test_the_same_seed_plans_the_same_faults_and_another_one_others() -> None:
    one = schedule(3, SECONDS, 6, broker_keeps=True)
    assert one == schedule(3, SECONDS, 6, broker_keeps=True)
    assert one != schedule(4, SECONDS, 6, broker_keeps=True)


def test_every_kind_comes_before_any_comes_twice() -> None:
    planned = schedule(3, SECONDS, 6, broker_keeps=True)
    kinds = [(fault.act, fault.victim) for fault in planned]
    deck = len(set(kinds))
    assert deck == len(SERVICES) * 3 + 4 + 2 + len(GUESTS)
    for start in range(0, len(kinds) - deck, deck):
        assert set(Counter(kinds[start : start + deck]).values()) == {1}


def test_a_broker_that_keeps_nothing_is_never_killed() -> None:
    acts = {f.act for f in schedule(3, SECONDS, 6, broker_keeps=False) if f.victim == BROKER}
    assert acts == {Act.PAUSE}


@pytest.mark.parametrize("seed", range(5))
def test_a_broker_that_keeps_nothing_is_paused_while_nothing_else_is_done(seed: int) -> None:
    planned = schedule(seed, SECONDS, 6, broker_keeps=False)
    pauses = [fault for fault in planned if fault.victim == BROKER]
    assert pauses
    for pause in pauses:
        end = pause.at_s + pause.for_s
        others = [fault for fault in planned if fault is not pause]
        assert all(f.at_s + f.for_s <= pause.at_s + 0.01 or f.at_s >= end - 0.01 for f in others)


@pytest.mark.parametrize("seed", range(5))
def test_no_fault_outlasts_the_run_and_pauses_are_of_their_length(seed: int) -> None:
    planned = schedule(seed, 90, 6, broker_keeps=True)
    assert all(fault.at_s + fault.for_s <= 90.01 for fault in planned)
    early = [f for f in planned if f.act is Act.PAUSE and f.at_s < 60]
    assert all(2 <= fault.for_s <= 25 for fault in early)


def test_a_rebalance_every_so_often_workers_and_streams_in_turn() -> None:
    planned = rebalances(200, 20)
    assert planned[:2] == [
        Fault(20, Act.JOIN, GUESTS[0], 20),
        Fault(60, Act.JOIN, GUESTS[1], 20),
    ]
    moments = sorted(m for f in planned for m in (f.at_s, f.at_s + f.for_s))
    assert moments == [20.0 * number for number in range(1, 11)]


def test_a_fault_is_said_in_words() -> None:
    assert str(Fault(1, Act.PAUSE, "worker", 2.5)) == "worker paused for 2.5 s"
    assert str(Fault(1, Act.KILL, "worker")) == "worker killed (-9)"
