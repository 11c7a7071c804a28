"""Standard errors and intervals by hand."""

from math import inf

import numpy as np
import pytest

from recognition.bootstrap import Interval
from recognition.half_samples import (
    HALVES,
    Estimate,
    TrialScores,
    balanced_halves,
    difference,
    joined,
)

ALTERNATING = np.tile([-0.1, 0.1], HALVES // 2)


def scores(halves: np.ndarray, identities: int = 40) -> TrialScores:
    return TrialScores(np.array([0.25, 0.75]), halves, identities)


FLAT = TrialScores(np.zeros(2), np.zeros(HALVES), 40)


@pytest.mark.parametrize(("n", "able"), [(0, 0), (3, 3), (4, 1), (20, 0)])
def test_too_few_are_not_halved(n: int, able: int) -> None:
    assert balanced_halves(np.arange(n) < able).shape == (0, n)


def test_of_four_each_half_has_one_that_can_be_enrolled() -> None:
    members = balanced_halves(np.array([False, True, False, True]))
    assert len(members) == HALVES
    assert (members[:, 1] != members[:, 3]).all()
    assert (members[:, 0] != members[:, 2]).all()


def test_the_seed_decides() -> None:
    can = np.ones(30, np.bool_)
    assert np.array_equal(balanced_halves(can), balanced_halves(can, 0))
    assert not np.array_equal(balanced_halves(can), balanced_halves(can, 1))


def test_the_error_is_the_deviation_of_the_halves_however_high_they_stand() -> None:
    for level in (0.3, 0.9):
        assert tuple(difference(scores(level + ALTERNATING), FLAT)) == pytest.approx((0.5, 0.1, 19))
    assert tuple(difference(scores(ALTERNATING), scores(ALTERNATING))) == (0, 0, 19)


@pytest.mark.parametrize(("identities", "freedom"), [(4, 2), (5, 2), (37, 18), (38, 19), (99, 19)])
def test_the_degrees_of_freedom_are_the_pairs(identities: int, freedom: int) -> None:
    found = difference(scores(ALTERNATING, identities), FLAT)
    assert found.freedom == freedom


def test_without_halves_nothing_is_sure() -> None:
    for halves in (np.empty(0), np.where(np.arange(HALVES) == 3, np.nan, ALTERNATING)):
        found = difference(scores(halves), TrialScores(FLAT.whole, np.zeros(halves.size), 40))
        assert (found.mean, found.error) == (0.5, inf)
        assert found.interval == Interval(-1, 1)


def test_the_interval_is_students_and_ends_where_differences_do() -> None:
    assert Estimate(0.25, 0.1, 19).interval == pytest.approx((0.25 - 0.2093024, 0.25 + 0.2093024))
    assert Estimate(0.25, 0.1, 2).interval == pytest.approx((0.25 - 0.4302653, 0.25 + 0.4302653))
    assert Estimate(0.25, 0, 19).interval == (0.25, 0.25)
    assert Estimate(0.9, 0.1, 19).interval == pytest.approx((0.9 - 0.2093024, 1))
    assert Estimate(-0.9, 0.1, 19).interval == pytest.approx((-1, 0.2093024 - 0.9))


def test_only_what_the_same_trials_gave_is_compared() -> None:
    with pytest.raises(ValueError, match="2 and 1 of all identities, 20 and 20 halves"):
        difference(FLAT, TrialScores(np.zeros(1), np.zeros(HALVES), 40))
    with pytest.raises(ValueError, match="2 and 2 of all identities, 20 and 0 halves"):
        difference(FLAT, TrialScores(np.zeros(2), np.empty(0), 40))


def test_parts_count_the_same_and_a_half_of_all_is_a_half_of_each() -> None:
    one = TrialScores(np.array([0.0, 0.5]), np.full(HALVES, 0.25), 10)
    other = TrialScores(np.array([1.0, 0.5]), 0.75 + ALTERNATING, 11)
    both = joined([one, other])
    assert both.whole.tolist() == [0, 0.5, 1, 0.5]
    assert both.mean == 0.5
    assert both.halves == pytest.approx(0.5 + ALTERNATING / 2)
    assert both.identities == 21
    assert joined([one, TrialScores(one.whole, np.empty(0), 3)]).halves.size == 0
