"""The tail of the impostor distances: by hand where that is possible, else on planted strangers."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from recognition.tail import Tail, fit_tail, weighted_quantile
from tests.unit.strangers import BETWEEN, WITHIN, strangers


def fitted(nearest: object, identities: object) -> Tail:
    tail = fit_tail(nearest, identities)  # type: ignore[arg-type]  # lists are array-like
    assert tail is not None
    return tail


def test_two_strangers_are_spread_by_silvermans_rule() -> None:
    tail = fitted([3.0, 1.0], ["ox", "cow"])
    assert tail.values.tolist() == [1, 3]
    assert tail.owner.tolist() == [0, 1]  # of cow and ox, in the order of their distances
    assert (tail.identities, tail.freedom, tail.pareto) == (2, 1, None)
    assert tail.bandwidth == pytest.approx(0.9 * math.sqrt(2) * 2**-0.2)


def test_half_way_between_two_strangers_half_are_accepted() -> None:
    tail = fitted([1.0, 3.0], ["cow", "ox"])
    assert tail.fpir(2.0) == 0.5
    assert tail.fpir(-1e9) == 0
    assert tail.fpir(1e9) == 1


def test_at_the_threshold_counts_as_within() -> None:
    still = Tail(np.array([1.0, 2.0]), np.array([0, 1]), bandwidth=0.0, freedom=1, pareto=None)
    assert still.fpir(1.0) == 0.5
    assert still.fpir(np.nextafter(1.0, 0)) == 0
    assert still.threshold(0.5) == pytest.approx(2, abs=1e-9)
    assert still.threshold(0.49) == pytest.approx(1, abs=1e-9)
    assert still.fpir(still.threshold(0.49)) == 0
    # Of two that come, both, one or none may be like the nearer one.
    assert still.interval(1.0, strangers=2) == (0, 1)
    assert still.interval(0.9, strangers=2) == (0, 0)


def test_the_spread_is_that_of_the_means_and_each_identity_weighs_the_same() -> None:
    tail = fitted([0.0, 2.0, 7.0, 7.0, 7.0], ["a", "a", "b", "b", "b"])
    assert tail.bandwidth == pytest.approx(0.9 * 6 / math.sqrt(2) * 2**-0.2)
    few = fitted([0.0, 2.0, 7.0], ["a", "a", "b"])
    for threshold in (-3.0, 0.5, 3.0, 8.0):
        assert tail.fpir(threshold) == pytest.approx(few.fpir(threshold), abs=1e-12)


def test_identities_of_equal_means_count_once() -> None:
    twins = fitted([1.0, 1.0, 2.0, 2.0, 4.0], list("abcde"))
    once = fitted([1.0, 2.0, 4.0], list("abc"))
    assert (twins.bandwidth, twins.freedom) == (once.bandwidth, once.freedom)
    assert (twins.identities, once.identities) == (5, 3)
    # The distance there and that back differ by rounding.
    assert fitted([1.0, 1 + 1e-7, 2.0, 4.0], list("abcd")).freedom == 2
    assert fitted([1.0, 1 + 1e-5, 2.0, 4.0], list("abcd")).freedom == 3


@pytest.mark.parametrize(
    ("nearest", "identities"),
    [([], []), ([0.3], ["a"]), ([0.1, 0.9], ["a", "a"]), ([0.2, 0.2, 0.2], ["a", "b", "c"])],
)
def test_one_observation_says_nothing_of_a_spread(
    nearest: list[float], identities: list[str]
) -> None:
    assert fit_tail(nearest, identities) is None


@pytest.mark.parametrize(
    ("nearest", "identities"),
    [
        ([1.0, 2.0], ["a"]),
        ([[1.0], [2.0]], ["a", "b"]),
        (1.0, ["a"]),
        ([1.0, math.nan], ["a", "b"]),
        ([1.0, math.inf], ["a", "b"]),
    ],
)
def test_distances_must_be_a_finite_row_with_identities(
    nearest: list[float], identities: list[str]
) -> None:
    with pytest.raises(ValueError, match="finite distances of shape"):
        fit_tail(nearest, identities)


@pytest.mark.parametrize(
    ("images", "identities", "is_fitted"),
    [(210, 5, True), (201, 5, True), (200, 5, False), (210, 4, False)],
)
def test_a_pareto_tail_takes_twenty_distances_and_five_identities(
    images: int, identities: int, is_fitted: bool
) -> None:
    """The tail starts at the 21st of 201 distances, and at the 20th of 200."""
    tail = fitted(np.arange(images) / images, np.arange(images) % identities)
    assert (tail.pareto is not None) is is_fitted


def test_the_fitted_tail_joins_the_distances_where_it_starts() -> None:
    tail = fitted(*strangers(np.random.default_rng(0), 20, 30))
    assert tail.pareto is not None
    start = tail.pareto.start
    assert start == weighted_quantile(tail.values, tail.owner, 0.1)
    assert (tail.values < start).mean() == pytest.approx(tail.pareto.mass)
    assert tail.pareto.mass == pytest.approx(0.1, abs=2 / 600)


def test_distances_that_are_all_equal_in_the_tail_can_be_fitted() -> None:
    """Copies of one image among the strangers."""
    tail = fitted([0.0] * 32 + [1.0] * 100 + [2.0] * 198, np.arange(330) % 10)
    assert tail.pareto is not None
    assert tail.fpir(tail.threshold(0.05)) <= 0.05


@pytest.mark.parametrize("fpir", [0, 1, -0.1, 1.5, math.nan])
def test_an_fpir_that_is_no_share_is_refused(fpir: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        fitted([1.0, 2.0], ["a", "b"]).threshold(fpir)


@pytest.mark.parametrize("fpir", [1e-3, 1e-6, 1e-9])
def test_a_heavy_tail_is_followed_as_far_as_it_takes(fpir: float) -> None:
    heavy = -np.exp(1.5 * np.random.default_rng(0).normal(size=2000))
    tail = fitted(heavy, np.arange(2000) // 5)
    assert tail.pareto is not None
    assert tail.pareto.shape > 0.2
    assert tail.fpir(tail.threshold(fpir)) == pytest.approx(fpir, rel=1e-3)


@pytest.mark.parametrize("identities", [8, 50])
@pytest.mark.parametrize("fpir", [0.05, 0.01])
def test_new_strangers_are_accepted_as_often_as_was_asked_for(identities: int, fpir: float) -> None:
    met = []
    for seed in range(100):
        tail = fitted(*strangers(np.random.default_rng(seed), identities, 20))
        deviations = (tail.threshold(fpir) - 10) / math.hypot(BETWEEN, WITHIN)
        met.append(norm.cdf(deviations))
    assert 0.6 * fpir < np.mean(met) < 1.5 * fpir


@pytest.mark.parametrize("identities", [8, 50])
def test_the_interval_covers_what_comes(identities: int) -> None:
    covered, width = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        tail = fitted(*strangers(rng, identities, 20))
        threshold = tail.threshold(0.05)
        low, high = tail.interval(threshold, strangers=20, draws=300)
        met = (strangers(rng, 20, 20).nearest <= threshold).mean()
        covered.append(low <= met <= high)
        width.append(high - low)
    assert 0.85 <= np.mean(covered) < 1
    assert np.mean(width) < 0.2


def test_the_more_strangers_come_the_narrower_the_interval() -> None:
    tail = fitted(*strangers(np.random.default_rng(0), 100, 20))
    threshold = tail.threshold(0.05)
    few, many = (tail.interval(threshold, strangers=n) for n in (3, 300))
    assert 0 == few.low < many.low < 0.05 < many.high < few.high < 1
    assert tail.interval(threshold, strangers=3) == few  # the same again


@pytest.mark.parametrize(("strangers", "draws"), [(0, 10), (10, 0)])
def test_an_interval_is_of_some_strangers(strangers: int, draws: int) -> None:
    with pytest.raises(ValueError, match=f"got {strangers} and {draws}"):
        fitted([1.0, 2.0], ["a", "b"]).interval(1.5, strangers=strangers, draws=draws)


def test_the_quantile_by_hand() -> None:
    values, identities = [4.0, 1.0, 3.0, 2.0], ["a", "b", "b", "b"]
    # In ascending order they weigh 1/6, 1/6, 1/6 (all b's) and 1/2.
    for share, expected in [(0.0, 1), (0.1, 1), (1 / 6, 1), (0.2, 2), (0.5, 3), (0.51, 4), (1, 4)]:
        assert weighted_quantile(values, identities, share) == expected
