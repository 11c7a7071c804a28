"""Statistics per cluster, by numbers that can be worked out by hand."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike

from recognition.distance import FloatArray
from recognition.statistics import Statistics, fit_statistics


def float32(values: ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


# Cluster 0 lies about (0, 10), cluster 1 about (4, 10); the last belongs to neither.
EMBEDDINGS = float32([[-1, 8], [1, 12], [3, 9], [5, 11], [2, 10]])
CLUSTERS = np.array([0, 0, 1, 1, -1])
RIDGE = 0.1 * (2 + math.sqrt(2)) / 2  # a tenth of the mean global scale


def fitted(prior: float, *, centre_only: bool = False, k: int = 3) -> Statistics:
    return fit_statistics(EMBEDDINGS, CLUSTERS, k, prior=prior, centre_only=centre_only)


def test_without_a_prior_every_cluster_has_its_own() -> None:
    statistics = fitted(0)
    assert statistics.counts.tolist() == [2, 2, 0]
    assert statistics.global_mean.tolist() == [2, 10]
    assert statistics.global_scale == pytest.approx([2 + RIDGE, math.sqrt(2) + RIDGE])
    assert statistics.mean.tolist() == [[0, 10], [4, 10], [2, 10]]
    own = np.array([[1, 2], [1, 1], [2, math.sqrt(2)]])
    assert statistics.scale == pytest.approx(own + RIDGE)
    assert {array.dtype for array in (statistics.mean, statistics.scale)} == {np.dtype(np.float32)}


def test_means_and_variances_shrink_toward_the_global_ones() -> None:
    statistics = fitted(6)  # a quarter is the cluster's own
    assert statistics.mean == pytest.approx(np.array([[1.5, 10], [2.5, 10], [2, 10]]))
    variances = np.array([[3.25, 2.5], [3.25, 1.75], [4, 2]])
    assert statistics.scale == pytest.approx(np.sqrt(variances) + RIDGE)


def test_the_mean_alone_can_be_taken_out() -> None:
    statistics = fitted(0, centre_only=True)
    assert statistics.mean.tolist() == [[0, 10], [4, 10], [2, 10]]
    assert statistics.scale.tolist() == [[1, 1]] * 3
    assert statistics.global_scale.tolist() == [1, 1]


def test_a_dead_dimension_has_a_tenth_of_the_mean_scale() -> None:
    statistics = fit_statistics(float32([[0, 1], [4, 1]]), np.array([0, 0]), 1, prior=0)
    assert statistics.scale == pytest.approx(np.array([[2.1, 0.1]]))
    assert statistics.global_scale == pytest.approx([2.1, 0.1])
    one = fit_statistics(float32([[3, 4]]), np.array([0]), 1)
    assert one.scale.tolist() == [[1, 1]]


def test_embeddings_are_centred_scaled_and_of_unit_norm() -> None:
    statistics = Statistics(
        float32([[0, 10], [4, 10]]),
        float32([[1, 2], [1, 1]]),
        np.array([2, 2]),
        float32([2, 10]),
        float32([2, 0.5]),
    )
    found = statistics.standardise(
        float32([[3.0, 18.0], [4.0, 11.0], [4.0, 10.5]]), np.array([0, 1, -1])
    )
    # z is (3, 4), (0, 1) and, by the global statistics, (1, 1).
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, 1], [math.sqrt(0.5)] * 2]))
    assert found.dtype == np.float32


def test_an_embedding_at_the_mean_stays_as_it_was() -> None:
    statistics = fitted(0)
    found = statistics.standardise(float32([[3, 10], [4, 10]]), np.array([1, 1]))
    away = math.sqrt(116)
    assert found == pytest.approx(np.array([[-1, 0], [4 / away, 10 / away]]))
    zero = fit_statistics(float32([[1, 0], [-1, 0]]), np.array([0, 0]), 1)
    with pytest.raises(ValueError, match="zero vector"):
        zero.standardise(np.zeros((1, 2), np.float32), np.array([0]))


def test_the_given_embeddings_are_left_alone() -> None:
    before = EMBEDDINGS.copy()
    fitted(0).standardise(EMBEDDINGS, CLUSTERS)
    assert np.array_equal(EMBEDDINGS, before)


def test_nothing_is_standardised_to_nothing() -> None:
    none = np.zeros((0, 2), np.float32)
    assert fitted(0).standardise(none, np.zeros(0, np.intp)).shape == (0, 2)


@pytest.mark.parametrize(
    ("embeddings", "clusters", "message"),
    [
        ([[1, 2, 3]], [0], "expected 1 embeddings of size 2"),
        ([[1, 2]], [0, 0], "expected 2 embeddings of size 2"),
        ([[1, 2]], [3], "expected clusters from -1 to 2"),
        ([[1, 2]], [-2], "expected clusters from -1 to 2"),
        ([[1, math.nan]], [0], "embeddings must be finite"),
        ([[1, math.inf]], [0], "embeddings must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(
    embeddings: list[list[float]], clusters: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fitted(0).standardise(np.array(embeddings, np.float32), np.array(clusters))


@pytest.mark.parametrize(
    ("embeddings", "clusters", "k", "prior", "message"),
    [
        (EMBEDDINGS[:0], CLUSTERS[:0], 2, 1, r"expected embeddings \(n, d\)"),
        (EMBEDDINGS[0], CLUSTERS, 2, 1, r"expected embeddings \(n, d\)"),
        (EMBEDDINGS, CLUSTERS[:3], 2, 1, r"expected embeddings \(n, d\)"),
        (EMBEDDINGS * np.float32(math.nan), CLUSTERS, 2, 1, "finite"),
        (EMBEDDINGS, CLUSTERS, 0, 1, "expected k >= 1 and a prior from 0, got 0 and 1"),
        (EMBEDDINGS, CLUSTERS, 2, -1, "a prior from 0"),
        (EMBEDDINGS, CLUSTERS, 2, math.nan, "a prior from 0"),
        (EMBEDDINGS, CLUSTERS, 1, 1, "expected clusters from -1 to 0"),
    ],
)
def test_a_fit_to_what_does_not_fit_is_refused(
    embeddings: FloatArray, clusters: np.ndarray, k: int, prior: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_statistics(embeddings, clusters, k, prior=prior)


def test_statistics_that_contradict_themselves_are_refused() -> None:
    ones, one = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    counts = np.array([1, 1])
    with pytest.raises(ValueError, match="statistics of 2 clusters do not have shapes"):
        Statistics(ones, ones, counts, one[:2], one)
    with pytest.raises(ValueError, match="every scale must be positive"):
        Statistics(ones, ones * 0, counts, one, one)
    with pytest.raises(ValueError, match="every scale must be positive"):
        Statistics(ones, ones, counts, one, one * np.float32(math.nan))
