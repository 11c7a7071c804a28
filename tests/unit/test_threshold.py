"""The threshold is that of the tail; which distances it takes, and when there is none."""

import math

import numpy as np
import pytest

from recognition.tail import fit_tail, open_set_threshold
from tests.unit.strangers import strangers


@pytest.mark.parametrize("fpir", [0.002, 0.01, 0.05, 0.5])
def test_it_is_that_of_the_tail(fpir: float) -> None:
    drawn = strangers(np.random.default_rng(0), 20, 30)
    tail = fit_tail(*drawn)
    assert tail is not None
    assert open_set_threshold(*drawn, fpir) == tail.threshold(fpir)


def test_with_too_few_images_it_is_no_larger_than_the_prediction_bound() -> None:
    """Means 1, 2 and 3 of no spread within: m = 2, s = 1, and t(2, .05) = -2.92."""
    found = open_set_threshold([1, 2, 3], ["a", "b", "c"], 0.05)
    assert found == pytest.approx(2 - 2.919986 * math.sqrt(4 / 3), abs=1e-5)


@pytest.mark.parametrize(
    ("nearest", "identities"), [([], []), ([0.3], ["a"]), ([0.3, 0.3], ["a", "b"])]
)
def test_without_two_strangers_that_differ_there_is_none(
    nearest: list[float], identities: list[str]
) -> None:
    assert open_set_threshold(nearest, identities, 0.01) is None


def test_few_strangers_keep_it_far_below_all_of_them() -> None:
    """One in a hundred of those to come is nearer than the nearest of two, and much nearer."""
    few = open_set_threshold([0.4, 0.5], ["a", "b"], 0.01)
    more = open_set_threshold(np.linspace(0.4, 0.5, 50), np.arange(50), 0.01)
    assert few is not None
    assert more is not None
    assert few < 0
    assert 0.3 < more < 0.4


def test_a_stranger_of_many_images_counts_once() -> None:
    """Whoever is photographed often, however near he comes, is one of ten."""
    nearest = [0.1] * 500 + [0.5 + 0.01 * i for i in range(9)]
    identities = ["near"] * 500 + [f"far{i}" for i in range(9)]
    tau = open_set_threshold(nearest, identities, 0.2)
    assert tau is not None
    assert tau > 0.4


@pytest.mark.parametrize("target_fpir", [0, 1, -0.1, 1.5, math.nan])
def test_an_fpir_that_is_no_share_is_refused_even_without_strangers(target_fpir: float) -> None:
    with pytest.raises(ValueError, match="target_fpir must lie between 0 and 1"):
        open_set_threshold([], [], target_fpir)


@pytest.mark.parametrize(
    ("nearest", "identities"), [([0.1, 0.2], ["a"]), ([0.1, math.nan], ["a", "b"])]
)
def test_what_no_tail_can_be_fitted_to_is_refused(
    nearest: list[float], identities: list[str]
) -> None:
    with pytest.raises(ValueError, match="finite distances"):
        open_set_threshold(nearest, identities, 0.5)
