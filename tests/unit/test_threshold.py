"""Thresholds that can be counted by hand."""

import math

import numpy as np
import pytest

from recognition.threshold import open_set_threshold


def just_below(value: float) -> float:
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def test_without_impostors_there_is_none() -> None:
    assert open_set_threshold(np.empty(0, dtype=np.float32), 0.01) is None


@pytest.mark.parametrize(
    ("target_fpir", "first_rejected"),
    [(0.1, 2), (0.19, 2), (0.2, 3), (0.3, 4), (0.7, 8), (0.99, 10)],
)
def test_it_lies_just_below_the_first_impostor_too_many(
    target_fpir: float, first_rejected: int
) -> None:
    impostors = np.array([7, 3, 10, 1, 9, 2, 8, 4, 6, 5], dtype=np.float32)
    assert open_set_threshold(impostors, target_fpir) == just_below(first_rejected)


def test_few_impostors_cannot_show_a_small_share() -> None:
    """Of 1, 2, 3: mean 2, deviation 1, and t(2 degrees of freedom, 5 %) = 2.920 from any table."""
    tau = open_set_threshold(np.array([1, 2, 3], dtype=np.float32), 0.05)
    assert tau == pytest.approx(2 - 2.919986 * math.sqrt(4 / 3), rel=1e-6)


def test_few_impostors_far_from_each_other_never_raise_it_above_the_nearest() -> None:
    impostors = np.array([1, 1.01, 1.02, 9], dtype=np.float32)
    tau = open_set_threshold(impostors, 0.24)
    assert tau is not None
    assert tau <= just_below(1)


@pytest.mark.parametrize("impostors", [[0.4], [0.4, 0.4], [0.4, 0.4, 0.4]])
def test_one_distance_tells_of_no_spread(impostors: list[float]) -> None:
    """Two entries are each other's nearest: that is one observation, not two that agree."""
    assert open_set_threshold(np.array(impostors, dtype=np.float32), 0.01) is None


def test_equal_distances_count_once_for_few_impostors() -> None:
    once = open_set_threshold(np.array([1, 2, 3], dtype=np.float32), 0.05)
    assert open_set_threshold(np.array([1, 1, 2, 2, 3], dtype=np.float32), 0.05) == once


def test_the_share_is_met_where_its_product_rounds_down() -> None:
    assert math.floor(0.29 * 100) == 28  # the trap
    assert open_set_threshold(np.arange(1, 101, dtype=np.float32), 0.29) == just_below(30)


def test_impostors_at_the_same_distance_pass_together_or_not_at_all() -> None:
    impostors = np.array([1, 2, 2, 2], dtype=np.float32)
    assert open_set_threshold(impostors, 0.5) == just_below(2)


def test_impostors_that_are_copies_leave_nothing_to_accept() -> None:
    tau = open_set_threshold(np.zeros(3, dtype=np.float32), 0.5)
    assert tau is not None
    assert tau < 0


@pytest.mark.parametrize("target_fpir", [0, 1, -0.1, 1.5, math.nan])
def test_an_fpir_that_is_no_share_is_refused(target_fpir: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        open_set_threshold(np.ones(3, dtype=np.float32), target_fpir)


@pytest.mark.parametrize("impostors", [[[1.0]], [1.0, math.nan], [math.inf]])
def test_distances_must_be_a_finite_row(impostors: list[float]) -> None:
    with pytest.raises(ValueError, match="one-dimensional and finite"):
        open_set_threshold(np.array(impostors, dtype=np.float32), 0.5)
