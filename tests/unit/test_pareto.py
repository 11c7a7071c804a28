"""The Pareto tail against SciPy's, and against samples of known parameters."""

import math

import numpy as np
import pytest
from scipy import stats

from recognition.pareto import Pareto, fit_pareto

SHAPES = [-0.9, -0.5, -0.1, -1e-12, 0.0, 1e-10, 0.2, 0.5]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_share_is_scipys_survival_function_turned_round(shape: float) -> None:
    pareto = Pareto(start=3.0, mass=0.1, scale=0.7, shape=shape)
    values = np.linspace(-40, 3, 200)
    expected = 0.1 * stats.genpareto(shape, scale=0.7).sf(3 - values)
    assert pareto.share(values) == pytest.approx(expected, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_at_the_start_it_is_the_mass(shape: float) -> None:
    pareto = Pareto(start=0.3, mass=0.08, scale=0.1, shape=shape)
    assert pareto.share(np.array([0.3])) == 0.08
    assert pareto.share(np.array([0.3 - 1e-9])) == pytest.approx(0.08)


def test_below_zero_the_tail_ends() -> None:
    pareto = Pareto(start=1.0, mass=0.1, scale=0.4, shape=-0.5)
    shares = pareto.share(np.array([0.1, 0.2 - 1e-9, 0.2 + 1e-3]))  # it ends 0.4/0.5 below 1
    assert shares[:2].tolist() == [0, 0]
    assert shares[2] > 0


@pytest.mark.parametrize("shape", [-0.8, -0.3, 0.0, 0.2, 0.4])
def test_planted_parameters_are_found_again(shape: float) -> None:
    rng = np.random.default_rng(0)
    beyond = stats.genpareto(shape, scale=2.0).rvs(20_000, random_state=rng)
    found = fit_pareto(5.0, beyond, np.full(beyond.size, 0.1 / beyond.size))
    assert found.start == 5.0
    assert found.mass == pytest.approx(0.1)
    assert found.shape == pytest.approx(shape, abs=0.04)
    assert found.scale == pytest.approx(2.0, rel=0.04)


def test_the_moments_by_hand() -> None:
    """Of 1 and 3: E[x] = 2, F at the middle of each half ¼ and ¾, E[x·(1 − F)] = 3/4."""
    found = fit_pareto(0.0, np.array([3.0, 1.0]), np.array([0.05, 0.05]))
    assert found.shape == pytest.approx(-0.9)  # 2 − 2/(2 − 3/2) = −2 is cut off
    assert found.scale == pytest.approx(2 * 1.9)  # which keeps the mean of 2
    many = fit_pareto(0.0, np.array([1.0, 2.0, 12.0]), np.full(3, 0.03))
    # E[x] = 5, E[x·(1 − F)] = (1·5/6 + 2·3/6 + 12·1/6)/3 = 23/18.
    assert many.shape == pytest.approx(2 - 5 / (5 - 23 / 9))
    assert many.scale == pytest.approx(2 * 5 * (23 / 18) / (5 - 23 / 9))
    assert many.mass == pytest.approx(0.09)


def test_a_weight_of_two_is_two_of_the_same() -> None:
    twice = fit_pareto(0.0, np.array([1.0, 2.0, 2.0, 12.0]), np.array([0.01, 0.01, 0.01, 0.03]))
    weighed = fit_pareto(0.0, np.array([12.0, 2.0, 1.0]), np.array([0.03, 0.02, 0.01]))
    assert twice.shape == pytest.approx(weighed.shape)
    assert (twice.scale, twice.mass) == pytest.approx((weighed.scale, weighed.mass))


def test_very_heavy_tails_are_cut_off_and_keep_the_mean() -> None:
    beyond = np.exp(3 * np.random.default_rng(0).normal(size=500))
    found = fit_pareto(0.0, beyond, np.full(500, 1e-4))
    assert found.shape == 0.5
    assert found.scale / (1 - found.shape) == pytest.approx(beyond.mean())


@pytest.mark.parametrize("count", [1, 24, 32])
def test_distances_that_are_all_equal_have_the_lightest_tail(count: int) -> None:
    found = fit_pareto(1.0, np.full(count, 0.5), np.full(count, 1 / 320))
    assert found.shape == -0.9
    assert found.scale == pytest.approx(0.5 * 1.9)
    assert math.isclose(found.mass, count / 320)
