"""How long anything stood still, and how much memory it took."""

import math

import pytest

from infra.torture.memory import MemoryDiary
from infra.torture.stalls import Standstill, Stay, Suffered, longest_stall, under_way

MIB = 2**20


def test_nothing_sent_is_no_stall() -> None:
    assert longest_stall([]) is None


def test_a_partition_stands_still_between_outcomes_while_work_waits() -> None:
    stays = [Stay("p", 0, 1), Stay("p", 0.5, 9), Stay("p", 2, 9.5), Stay("q", 0, 3)]
    assert longest_stall(stays) == Standstill("p", 1, 8)


def test_rest_without_work_is_no_stall() -> None:
    assert longest_stall([Stay("p", 0, 1), Stay("p", 100, 102)]) == Standstill("p", 100, 2)


def test_what_never_ends_does_not_hide_the_others() -> None:
    assert longest_stall([Stay("p", 0, math.inf), Stay("p", 1, 4)]) == Standstill("p", 0, 4)


def test_a_stall_names_the_faults_that_it_shares_time_with() -> None:
    faults = [
        Suffered("a", 0, 12),
        Suffered("b", 15, 17),
        Suffered("c", 19.5, 40),
        Suffered("d", 1, 2),
    ]
    assert under_way(Standstill("p", 10, 10), faults) == ["a (2 s of it)", "b (2 s of it)"]


def test_the_trend_is_of_the_longest_life_after_its_beginning() -> None:
    diary = MemoryDiary()
    for at in range(100):
        diary.note(10 * at, "worker", 1, (500 + at) * MIB)
    diary.note(0, "worker", 2, 900 * MIB)
    trend = diary.trends()["worker"]
    assert trend.growth_per_hour == pytest.approx(360)
    assert trend.early == pytest.approx(537)
    assert trend.late == pytest.approx(587)
    assert trend.most == 900


def test_a_short_life_has_no_slope() -> None:
    diary = MemoryDiary()
    diary.note(3, "redis", 1, 10 * MIB)
    trend = diary.trends()["redis"]
    assert (trend.early, trend.late, trend.growth_per_hour) == (10, 10, None)


def test_a_process_that_is_gone_has_no_sample() -> None:
    diary = MemoryDiary()
    diary.sample(0, "gone", 2**22 + 1)
    assert diary.trends() == {}
