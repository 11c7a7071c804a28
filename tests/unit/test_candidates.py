"""Which candidate wins, by scores made by hand."""

import numpy as np
import pytest

from recognition.bootstrap import Interval
from recognition.candidates import (
    COUNTS,
    PLAIN,
    CandidateResult,
    ConditioningCandidate,
    Scores,
    Standard,
    candidates,
    choose,
    evaluate_candidates,
)
from recognition.half_samples import HALVES, TrialScores

ONE = ConditioningCandidate(1, scaled=True)
TWO = ConditioningCandidate(2, scaled=True)
FOUR = ConditioningCandidate(4, scaled=True)
ERROR = 0.125
"""Standard error of what is noisy."""


def flat(value: float) -> TrialScores:
    return TrialScores(np.full(4, value), np.full(HALVES, value), 40)


def noisy(value: float) -> TrialScores:
    """Return scores whose halves deviate, while the trials do not."""
    halves = value + ERROR * np.tile([-1.0, 1.0], HALVES // 2)
    return TrialScores(np.full(4, value), halves, 40)


def scores(**means: TrialScores) -> Scores:
    by_name = {"plain": PLAIN, "one": ONE, "two": TWO, "four": FOUR}
    return {by_name[name]: score for name, score in means.items()}


def test_the_plain_distance_comes_first_and_the_simplest_next() -> None:
    found = list(candidates())
    assert (
        found[0] == PLAIN == ConditioningCandidate(1, Standard.NONE, scaled=False, levelled=False)
    )
    assert all(candidate.scaled for candidate in found[1:])
    assert [candidate.k for candidate in found[1:]] == [1] * 3 + [2] * 6 + [4] * 6 + [8] * 6
    assert len(set(found)) == len(found)
    for candidate in found:
        assert candidate.k > 1 or not candidate.levelled
    assert COUNTS == (1, 2, 4, 8)


@pytest.mark.parametrize("counts", [(4, 2), (2, 4, 1), (2, 2, 4)])
def test_one_cluster_is_among_them_whatever_is_asked_for(counts: tuple[int, ...]) -> None:
    found = list(candidates(counts))
    assert [candidate.k for candidate in found[1:]] == [1] * 3 + [2] * 6 + [4] * 6
    assert list(candidates(())) == found[:4]


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (PLAIN, "one cluster"),
        (ONE, "one cluster, local scale"),
        (
            ConditioningCandidate(8, Standard.CENTRE, scaled=True),
            "8 clusters, centred, local scale",
        ),
        (
            ConditioningCandidate(2, Standard.SCALE, scaled=True, levelled=True),
            "2 clusters, scaled, local scale, levels",
        ),
    ],
)
def test_a_candidate_says_what_it_is(candidate: ConditioningCandidate, words: str) -> None:
    assert str(candidate) == words


@pytest.mark.parametrize(("gain", "winner"), [(0.124, ONE), (0.125, ONE), (0.126, TWO)])
def test_what_is_not_so_simple_must_be_better_by_a_standard_error(
    gain: float, winner: ConditioningCandidate
) -> None:
    assert choose(scores(plain=flat(-1), one=flat(0), two=noisy(gain))) == winner


def test_without_noise_any_gain_is_one() -> None:
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.51))) == TWO
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.5))) == ONE
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.4))) == ONE


def test_where_no_error_is_known_the_simplest_with_a_local_scale_stays() -> None:
    given = scores(plain=flat(0.9), one=flat(0), two=flat(1))
    alone = {way: TrialScores(each.whole, np.empty(0), 3) for way, each in given.items()}
    assert choose(alone) == ONE


def test_each_is_compared_with_the_best_so_far() -> None:
    # Four are surely better than one, but not than two.
    given = scores(plain=flat(-1), one=flat(0), two=flat(0.5), four=noisy(0.6))
    assert choose(given) == TWO
    # Not surely better than one: two do not stand in the way of four.
    given = scores(plain=flat(-1), one=flat(0), two=noisy(0.1), four=flat(0.05))
    assert choose(given) == FOUR


@pytest.mark.parametrize(("gain", "winner"), [(0.0, ONE), (0.24, ONE), (0.26, PLAIN)])
def test_the_plain_distance_must_be_better_by_two(
    gain: float, winner: ConditioningCandidate
) -> None:
    assert choose(scores(plain=noisy(gain), one=flat(0), two=flat(0))) == winner


def test_the_plain_distance_is_compared_with_the_best() -> None:
    given = scores(plain=flat(0.5), one=flat(0), two=flat(1))
    assert choose(given) == TWO


def test_the_race_says_the_gain_over_the_plain_distance_and_its_interval() -> None:
    plain, one = evaluate_candidates(scores(plain=flat(0.25), one=noisy(0.5)))
    assert plain == CandidateResult(PLAIN, 0.25, 0.0, Interval(0.0, 0.0))
    reach = 2.0930241 * ERROR  # Student's t of 19 degrees of freedom
    assert (one.candidate, one.tpir, one.gain) == (ONE, 0.5, 0.25)
    assert one.interval == pytest.approx((0.25 - reach, 0.25 + reach))
