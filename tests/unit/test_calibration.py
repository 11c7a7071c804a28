"""Probabilities from distances whose truth is known, and by hand where it can be."""

from math import inf, nan

import numpy as np
import pytest

from recognition.calibration import MIN_ISOTONIC, Bin, Calibration, fit_calibration, reliability

FLOAT = np.float64


def points(weight: float, *pairs: tuple[float, float]) -> Calibration:
    evidence, probability = np.array(pairs, FLOAT).T
    return Calibration(weight, evidence, probability)


def logistic(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return ratios and margins, and what is right with a probability that is known."""
    rng = np.random.default_rng(seed)
    ratios, margins = rng.uniform(0, 2, n), rng.uniform(0, 1, n)
    truth = 1 / (1 + np.exp(-(2 - 3 * ratios + 2 * margins)))
    return ratios, margins, rng.uniform(size=n) < truth, truth


def test_the_map_is_linear_between_its_points_and_level_beyond() -> None:
    calibration = points(0, (-2, 0.1), (-1, 0.5), (0, 0.9))
    found = [calibration.of(distance, 0.5, None) for distance in (2.0, 1.0, 0.75, 0.5, 0.25, 0.0)]
    assert found == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.7, 0.9])


def test_a_margin_counts_by_its_weight_up_to_one_threshold() -> None:
    calibration = points(0.5, (-1, 0.0), (0.5, 0.75))
    found = [calibration.of(0.4, 0.4, margin) for margin in (-0.2, 0.0, 0.2, 0.4, 4.0, None)]
    assert found == pytest.approx([0.0, 0.0, 0.125, 0.25, 0.25, 0.25])


@pytest.mark.parametrize("threshold", [0.0, -0.5])
def test_without_room_below_the_threshold_nothing_is_said(threshold: float) -> None:
    assert points(0, (0, 0.5)).of(0.0, threshold, None) is None


@pytest.mark.parametrize("n", [MIN_ISOTONIC - 1, MIN_ISOTONIC, 5000])
def test_the_fit_comes_near_the_truth(n: int) -> None:
    ratios, margins, right, _ = logistic(n)
    calibration = fit_calibration(ratios, margins, right)
    fresh, apart, _, truth = logistic(4000, seed=1)
    off = np.abs(calibration.probabilities(fresh, apart) - truth).mean()
    assert off < (0.02 if n == 5000 else 0.1)
    assert calibration.weight == pytest.approx(2 / 3, abs=0.1 if n == 5000 else 0.5)


def test_many_probes_may_show_a_step() -> None:
    """No logistic curve: right in 90 of 100 up to the threshold, in 10 of 100 beyond it."""
    ratios = np.tile([0.3, 0.6, 0.9, 1.2, 1.5], 100)
    right = np.arange(500) // 5 % 10 < np.where(ratios < 1, 9, 1)
    calibration = fit_calibration(ratios, np.zeros(500), right)
    found = calibration.probabilities([0.3, 0.9, 1.2, 1.5], np.zeros(4))
    assert found.tolist() == pytest.approx([0.9, 0.9, 0.1, 0.1])


def test_a_margin_that_tells_nothing_weighs_nothing() -> None:
    ratios, _, right, _ = logistic(2000)
    calibration = fit_calibration(ratios, np.full(2000, inf), right)
    assert calibration.weight == pytest.approx(0, abs=1e-6)
    assert calibration.of(0.1, 1.0, None) == pytest.approx(calibration.of(0.1, 1.0, 0.0))


def test_a_margin_that_speaks_the_wrong_way_weighs_nothing() -> None:
    ratios, margins, right, _ = logistic(2000)
    assert fit_calibration(ratios, -margins, right).weight == 0


def test_where_only_the_margin_tells_it_still_counts() -> None:
    rng = np.random.default_rng(0)
    margins = rng.uniform(0, 1, 1000)
    right = margins > 0.5
    calibration = fit_calibration(rng.uniform(0, 1, 1000), margins, right)
    low, high = calibration.probabilities([0.5, 0.5], [0.2, 0.8])
    assert high - low > 0.5


@pytest.mark.parametrize("n", [5, 400])
@pytest.mark.parametrize("all_right", [True, False])
def test_however_sure_the_data_are_no_probability_is_0_or_1(n: int, all_right: bool) -> None:
    calibration = fit_calibration(np.linspace(0, 1, n), np.zeros(n), np.full(n, all_right))
    least = 1 / (n + 2)
    expected = 1 - least if all_right else least
    assert calibration.probabilities([0, 1], [0, 0]).tolist() == pytest.approx([expected] * 2)


@pytest.mark.parametrize("n", [1, 10])
def test_probes_that_are_all_alike_give_one_probability(n: int) -> None:
    calibration = fit_calibration(np.full(n, 0.5), np.zeros(n), np.arange(n) % 2 == 0)
    assert calibration.probability.size == 1
    assert calibration.of(9.0, 1.0, 0.0) == pytest.approx(2 / 3 if n == 1 else 0.5)


def test_farther_never_means_more_probable_even_where_the_data_say_so() -> None:
    ratios = np.linspace(0, 1, 40)
    calibration = fit_calibration(ratios, np.zeros(40), ratios > 0.5)
    assert np.ptp(calibration.probabilities(ratios, np.zeros(40))) == 0


def test_few_probes_that_are_cleanly_apart_give_a_steep_map() -> None:
    ratios = np.r_[np.linspace(0, 0.9, 20), np.linspace(1.1, 2, 20)]
    calibration = fit_calibration(ratios, np.zeros(40), ratios < 1)
    near, edge, far = calibration.probabilities([0, 1, 2], np.zeros(3))
    assert (near, edge, far) == pytest.approx((21 / 22, 0.5, 1 / 22), abs=0.05)
    assert calibration.probability.size > 10


@pytest.mark.parametrize(
    ("weight", "points", "told"),
    [
        (1, [], "points"),
        (1, [[1, 0.5], [0, 0.6]], "ascend"),
        (1, [[0, 0.6], [1, 0.5]], "must not fall"),
        (1, [[0, 0.5], [1, nan]], "must not fall"),
        (1, [[0, 1.5]], "between 0 and 1"),
        (1, [[0, -0.5]], "between 0 and 1"),
        (-1, [[0, 0.5]], "not negative"),
        (nan, [[0, 0.5]], "not negative"),
        (inf, [[0, 0.5]], "not negative"),
        (1, [[inf, 0.5]], "expected points"),
    ],
)
def test_what_is_no_calibration_is_told(
    weight: float, points: list[list[float]], told: str
) -> None:
    evidence, probability = np.array(points, np.float64).reshape(-1, 2).T
    with pytest.raises(ValueError, match=told):
        Calibration(weight, evidence, probability)


@pytest.mark.parametrize(
    ("ratios", "margins", "right"),
    [
        ([], [], []),
        ([1.0], [0.0, 1.0], [True]),
        ([1.0], [0.0], [True, False]),
        ([[1.0]], [[0.0]], [[True]]),
        ([nan], [0.0], [True]),
        ([inf], [0.0], [True]),
        ([1.0], [nan], [True]),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    ratios: list[float], margins: list[float], right: list[bool]
) -> None:
    with pytest.raises(ValueError, match=r"expected \(n,\)|must be finite"):
        fit_calibration(ratios, margins, right)


def test_reliability_compares_promise_and_outcome_bin_by_bin() -> None:
    found = reliability([0.1, 0.3, 0.8, 1.0], [False, True, True, True], bins=2)
    assert found.bins == (Bin(0.2, 0.5, 2), Bin(0.9, 1.0, 2))
    assert found.error == pytest.approx((0.3 * 2 + 0.1 * 2) / 4)


def test_what_holds_has_no_error_and_what_lies_has_all() -> None:
    assert reliability([0.0, 1.0], [False, True]).error == 0
    assert reliability([0.0, 1.0], [True, False]).error == 1
    assert len(reliability([0.0, 1.0], [True, False]).bins) == 2


@pytest.mark.parametrize(
    ("probabilities", "right", "bins"),
    [
        ([], [], 10),
        ([0.5], [True, True], 10),
        ([0.5], [True], 0),
        ([1.1], [True], 10),
        ([nan], [True], 1),
    ],
)
def test_reliability_of_what_is_none_is_refused(
    probabilities: list[float], right: list[bool], bins: int
) -> None:
    with pytest.raises(ValueError, match=r"expected \(n,\)|between 0 and 1"):
        reliability(probabilities, right, bins)
