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

ONE = ConditioningCandidate(1, scaled=True)
TWO = ConditioningCandidate(2, scaled=True)
FOUR = ConditioningCandidate(4, scaled=True)
IDENTITIES = 4
# Of this mean: where the other scores 0, its standard error is 1/√4.
NOISE = np.array([-1.0, 1.0, -1.0, 1.0])


def flat(value: float) -> np.ndarray:
    return np.full(4, value)


def scores(**means: np.ndarray) -> Scores:
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


@pytest.mark.parametrize(("gain", "winner"), [(0.49, ONE), (0.5, ONE), (0.51, TWO)])
def test_what_is_not_so_simple_must_be_better_by_a_standard_error(
    gain: float, winner: ConditioningCandidate
) -> None:
    given = scores(plain=flat(-9), one=flat(0), two=gain + NOISE)
    assert choose(given, IDENTITIES) == winner


def test_without_noise_any_gain_is_one() -> None:
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.51)), IDENTITIES) == TWO
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.5)), IDENTITIES) == ONE
    assert choose(scores(plain=flat(0), one=flat(0.5), two=flat(0.4)), IDENTITIES) == ONE


def test_the_error_counts_identities_and_not_trials() -> None:
    given = scores(plain=flat(-9), one=flat(0), two=0.3 + NOISE)
    assert choose(given, 4) == ONE
    assert choose(given, 16) == TWO  # a standard error of a quarter
    many: Scores = {candidate: np.tile(score, 100) for candidate, score in given.items()}
    assert choose(many, 4) == ONE


def test_each_is_compared_with_the_best_so_far() -> None:
    # Four are surely better than one, but not than two.
    given = scores(plain=flat(-9), one=flat(0), two=flat(1), four=1.2 + NOISE)
    assert choose(given, IDENTITIES) == TWO
    # Not surely better than one: two do not stand in the way of four.
    given = scores(plain=flat(-9), one=flat(0), two=0.4 + NOISE, four=flat(0.1))
    assert choose(given, IDENTITIES) == FOUR


@pytest.mark.parametrize(("gain", "winner"), [(0.0, ONE), (0.9, ONE), (1.1, PLAIN)])
def test_the_plain_distance_must_be_better_by_two(
    gain: float, winner: ConditioningCandidate
) -> None:
    assert choose(scores(plain=gain + NOISE, one=flat(0), two=flat(0)), IDENTITIES) == winner


def test_the_plain_distance_is_compared_with_the_best() -> None:
    given = scores(plain=flat(0.5), one=flat(0), two=flat(1))
    assert choose(given, IDENTITIES) == TWO


def test_the_race_says_the_gain_over_the_plain_distance_and_its_interval() -> None:
    plain, one = evaluate_candidates(scores(plain=flat(0.25), one=0.5 + NOISE), IDENTITIES)
    assert plain == CandidateResult(PLAIN, 0.25, 0.0, Interval(0.0, 0.0))
    assert one == CandidateResult(ONE, 0.5, 0.25, Interval(0.25 - 1.96 / 2, 0.25 + 1.96 / 2))
