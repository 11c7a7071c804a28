"""Moments of a stream and its drift, by numbers that can be worked out by hand."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from recognition.distance import FloatArray
from recognition.statistics import Moments, Statistics, drift


def float32(values: ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


# Cluster 0 has mean (0, 0) and scale (1, 2); everything has mean (1, 1) and scale (1, 1).
STATISTICS = Statistics(
    float32([[0, 0]]),
    float32([[1, 2]]),
    np.array([100]),
    float32([1, 1]),
    float32([1, 1]),
)


def of(*vectors: tuple[float, float]) -> Moments:
    moments = Moments.empty(2)
    for vector in vectors:
        moments.add(vector)
    return moments


def test_nothing_seen_has_zero_mean_and_deviations() -> None:
    moments = of()
    assert (moments.count, moments.mean.tolist(), moments.m2.tolist()) == (0, [0, 0], [0, 0])


def test_what_is_no_vector_changes_nothing() -> None:
    moments = of((1, 2))
    for wrong in ([1, math.nan], [math.inf, 0], [1], [[1, 2]]):
        with pytest.raises(ValueError, match=r"finite vector of shape \(2,\)"):
            moments.add(wrong)
    assert (moments.count, moments.mean.tolist()) == (1, [1, 2])


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected moments of shape \(2,\)"):
        drift(STATISTICS, 0, Moments.empty(3))
    with pytest.raises(ValueError, match="expected a count and two arrays"):
        Moments(1, np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="expected a count and two arrays"):
        Moments(-1, np.zeros(2), np.zeros(2))


def test_drift_is_the_shift_in_deviations_less_chance() -> None:
    # Mean (3, 6), sample variance (2, 8): the squares 9 and 9, less 2/2 and 8/2/4.
    moments = of((2, 4), (4, 8))
    assert drift(STATISTICS, 0, moments) == pytest.approx(math.sqrt((9 - 1 + 9 - 1) / 2))
    # From everything: the squares 4 and 25, less 1 and 4.
    assert drift(STATISTICS, -1, moments) == pytest.approx(math.sqrt((4 - 1 + 25 - 4) / 2))


def test_there_is_no_drift_within_chance_or_before_two() -> None:
    assert drift(STATISTICS, 0, of((-1, 0), (2, 0))) == 0
    assert drift(STATISTICS, 0, of((100, 100))) == 0
    assert drift(STATISTICS, 0, of()) == 0
    with pytest.raises(ValueError, match="expected clusters from -1 to 0"):
        drift(STATISTICS, 1, of())
