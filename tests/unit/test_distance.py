"""Distances of vectors whose angles and lengths are known."""

import math

import numpy as np
import pytest

from recognition.distance import MAX_NORM, FloatArray, Metric, distances, from_redis

RIGHT_TRIANGLE = np.array([[3, 0], [0, 4]], dtype=np.float32)


def at(*degrees: float) -> FloatArray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_the_cosine_distance_is_one_less_the_cosine_of_the_angle_whatever_the_lengths() -> None:
    found = distances(5 * at(0), np.float32(0.1) * at(0, 60, 90, 120, 180))
    assert found == pytest.approx(np.array([[0, 0.5, 1, 1.5, 2]]), abs=1e-6)
    assert found.dtype == np.float32


def test_l2_is_the_length_of_the_difference() -> None:
    assert distances(RIGHT_TRIANGLE, RIGHT_TRIANGLE, Metric.L2).tolist() == [[0, 5], [5, 0]]


def test_ip_is_one_less_the_inner_product() -> None:
    assert distances(RIGHT_TRIANGLE, RIGHT_TRIANGLE, Metric.IP).tolist() == [[-8, 1], [1, -15]]


@pytest.mark.parametrize("metric", Metric)
def test_smaller_is_closer(metric: Metric) -> None:
    near, middle, far = distances(at(0), at(10, 50, 170), metric)[0]
    assert near < middle < far


@pytest.mark.parametrize("metric", Metric)
def test_no_entries_give_no_columns(metric: Metric) -> None:
    assert distances(at(0, 1), np.empty((0, 2), dtype=np.float32), metric).shape == (2, 0)


def test_l2_does_not_cancel_where_vectors_are_close_and_long() -> None:
    vectors = np.array([[1000, 0], [1000, 0.001]], dtype=np.float32)
    assert distances(vectors[:1], vectors, Metric.L2)[0] == pytest.approx([0, 0.001], rel=1e-3)


def test_tiny_and_huge_vectors_keep_their_direction() -> None:
    found = distances(np.float32(1e-40) * at(0), np.float32(1e38) * at(0, 90))
    assert found == pytest.approx(np.array([[0, 1]]), abs=1e-4)


@pytest.mark.parametrize("metric", Metric)
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
    metric: Metric, queries: FloatArray, entries: FloatArray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        distances(queries.astype(np.float32), entries.astype(np.float32), metric)


def test_a_zero_vector_has_no_cosine_but_other_distances() -> None:
    zero = np.zeros((1, 2), dtype=np.float32)
    with pytest.raises(ValueError, match="no direction"):
        distances(zero, at(0))
    assert distances(zero, at(0), Metric.L2).item() == 1
    assert distances(zero, at(0), Metric.IP).item() == 1


@pytest.mark.parametrize("metric", [Metric.L2, Metric.IP])
def test_vectors_too_long_for_float32_distances_are_refused(metric: Metric) -> None:
    with pytest.raises(ValueError, match=r"norm of at most 1e\+18"):
        distances(at(0), np.float32(1.01 * MAX_NORM) * at(0), metric)
    longest = np.float32(0.99 * MAX_NORM) * at(0, 180)
    assert np.isfinite(distances(longest, longest, metric)).all()


@pytest.mark.parametrize(
    ("metric", "score", "distance"),
    [
        (Metric.COSINE, 0.25, 0.25),
        (Metric.COSINE, -1.2e-7, 0),
        (Metric.COSINE, 2.0000002, 2),
        (Metric.L2, 25, 5),
        (Metric.L2, -1e-9, 0),
        (Metric.IP, -3.5, -3.5),
        (Metric.IP, 7, 7),
    ],
)
def test_redis_scores_become_our_distances(metric: Metric, score: float, distance: float) -> None:
    assert from_redis(score, metric) == distance


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_redis_score_that_is_no_number_is_refused(metric: Metric, score: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        from_redis(score, metric)
