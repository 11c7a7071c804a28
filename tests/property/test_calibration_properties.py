"""The map of evidence to probability against a slow isotonic fit, and what must always hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration import MIN_ISOTONIC, fit_calibration, reliability
from tests.property.examples import examples

seeds = st.integers(0, 2**32 - 1)


@st.composite
def probes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Few or many probes, on a coarse grid or not, right by any rule."""
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.integers(1, 40) | st.integers(MIN_ISOTONIC, 300))
    ratios, margins = rng.uniform(0, 3, n), rng.uniform(-1, 3, n)
    if draw(st.booleans()):
        ratios, margins = ratios.round(), margins.round()
    slope = draw(st.sampled_from([-20.0, -1.0, 0.0, 1.0, 20.0]))
    right = rng.uniform(size=n) < 1 / (1 + np.exp(slope * (ratios - 1) - margins))
    return ratios, margins, right


@given(probes())
@examples(60)
def test_nearer_and_less_rivalled_is_never_less_probable(
    given_probes: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    calibration = fit_calibration(*given_probes)
    ratios, margins = np.linspace(-1, 5, 41), np.linspace(-2, 4, 41)
    table = np.stack([calibration.probabilities(ratios, np.full(41, m)) for m in margins])
    assert ((table > 0) & (table < 1)).all()
    assert (np.diff(table, axis=1) <= 0).all(), "farther"
    assert (np.diff(table, axis=0) >= 0).all(), "less rivalled"


@given(probes())
@examples(60)
def test_on_the_probes_of_the_fit_the_mean_is_the_share_that_is_right(
    given_probes: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    ratios, margins, right = given_probes
    predicted = fit_calibration(ratios, margins, right).probabilities(ratios, margins)
    # Smoothing pulls by two made-up probes; the logistic map is drawn with straight lines.
    assert predicted.mean() == pytest.approx(right.mean(), abs=2 / right.size + 0.02)


@given(seeds)
@examples(20)
def test_with_many_probes_it_is_the_isotonic_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ratios = rng.permutation(np.linspace(0, 2, 250))
    right = rng.uniform(size=250) < np.clip(1.2 - ratios, 0, 1)
    predicted = fit_calibration(ratios, np.zeros(250), right).probabilities(ratios, np.zeros(250))
    order = np.argsort(-ratios)
    expected = isotonic(right[order].astype(float)).clip(1 / 252, 251 / 252)
    assert predicted[order] == pytest.approx(expected)


def isotonic(values: np.ndarray) -> np.ndarray:
    """The min-max formula of isotonic regression (Robertson et al. 1988, theorem 1.4.4)."""
    sums = np.concatenate([[0.0], values.cumsum()])
    starts, ends = np.arange(len(values))[:, None], np.arange(1, len(values) + 1)
    means = (sums[ends] - sums[starts]) / np.where(ends > starts, ends - starts, np.inf)
    found = np.where(ends > starts, means, np.inf)
    best = np.minimum.accumulate(found[:, ::-1], axis=1)[:, ::-1]  # over all later ends
    return np.array([best[: i + 1, i].max() for i in range(len(values))])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1), st.integers(1, 20))
def test_the_bins_hold_every_answer_once(answers: list[tuple[float, bool]], bins: int) -> None:
    probabilities, right = (np.array(side) for side in zip(*answers, strict=True))
    found = reliability(probabilities, right, bins)
    assert sum(each.count for each in found.bins) == len(answers)
    assert 1 <= len(found.bins) <= bins
    assert sum(b.predicted * b.count for b in found.bins) == pytest.approx(probabilities.sum())
    assert sum(b.observed * b.count for b in found.bins) == pytest.approx(right.sum())
    predicted = [each.predicted for each in found.bins]
    assert predicted == sorted(predicted)
    assert abs(probabilities.mean() - right.mean()) <= found.error + 1e-9
