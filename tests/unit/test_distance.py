"""Distances of vectors whose angles and lengths are known."""

import math

import numpy as np
import pytest

from recognition.distance import FloatArray, distances, from_redis


def at(*degrees: float) -> FloatArray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_the_cosine_distance_is_one_less_the_cosine_of_the_angle_whatever_the_lengths() -> None:
    found = distances(5 * at(0), np.float32(0.1) * at(0, 60, 90, 120, 180))
    assert found == pytest.approx(np.array([[0, 0.5, 1, 1.5, 2]]), abs=1e-6)
    assert found.dtype == np.float32


def test_smaller_is_closer() -> None:
    near, middle, far = distances(at(0), at(10, 50, 170))[0]
    assert near < middle < far


def test_no_entries_give_no_columns() -> None:
    assert distances(at(0, 1), np.empty((0, 2), dtype=np.float32)).shape == (2, 0)


def test_tiny_and_huge_vectors_keep_their_direction() -> None:
    found = distances(np.float32(1e-40) * at(0), np.float32(1e38) * at(0, 90))
    assert found == pytest.approx(np.array([[0, 1]]), abs=1e-4)


@pytest.mark.parametrize(
    ("queries", "entries", "message"),
    [
        (np.ones(3), np.ones((1, 3)), r"shape \(n, d\).*\(3,\)"),
        (np.ones((1, 3)), np.ones((1, 1, 3)), r"shape \(n, d\).*\(1, 1, 3\)"),
        (np.ones((1, 0)), np.ones((1, 0)), "d >= 1"),
        (np.ones((1, 3)), np.ones((1, 2)), "queries have 3 dimensions, entries have 2"),
        (np.array([[1, np.nan]]), np.ones((1, 2)), "finite"),
        (np.ones((1, 2)), np.array([[1, np.inf]]), "finite"),
    ],
)
def test_what_has_no_distance_is_refused(
    queries: FloatArray, entries: FloatArray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        distances(queries.astype(np.float32), entries.astype(np.float32))


def test_a_zero_vector_has_no_direction() -> None:
    with pytest.raises(ValueError, match="no direction"):
        distances(np.zeros((1, 2), dtype=np.float32), at(0))


@pytest.mark.parametrize(
    ("score", "distance"), [(0.25, 0.25), (-1.2e-7, 0), (2.0000002, 2), (0, 0), (1.5, 1.5)]
)
def test_redis_scores_become_our_distances(score: float, distance: float) -> None:
    assert from_redis(score) == distance


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_redis_score_that_is_no_number_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        from_redis(score)
