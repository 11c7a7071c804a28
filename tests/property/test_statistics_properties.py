"""Statistics and moments against NumPy at every prefix, plain loops and planted shifts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.distance import FloatArray
from recognition.statistics import Moments, Statistics, drift, fit_statistics

numbers = st.integers(-1000, 1000).map(lambda value: value / 8)
vectors = st.lists(st.tuples(numbers, numbers, numbers), max_size=30)
labelled = st.lists(
    st.tuples(st.integers(-1, 2), st.tuples(numbers, numbers)), min_size=1, max_size=25
)
Vector = tuple[float, ...]


def moments_of(rows: list[Vector]) -> Moments:
    moments = Moments.empty(3)
    for row in rows:
        moments.add(row)
    return moments


def equals_numpy(moments: Moments, rows: list[Vector]) -> None:
    assert moments.count == len(rows)
    table = np.array(rows).reshape(-1, 3)
    mean = table.mean(axis=0) if rows else np.zeros(3)
    variance = table.var(axis=0) if rows else np.zeros(3)
    assert moments.mean == pytest.approx(mean, rel=1e-12, abs=1e-10)
    assert moments.m2 / max(len(rows), 1) == pytest.approx(variance, rel=1e-12, abs=1e-9)


@given(vectors)
def test_moments_are_numpys_at_every_prefix(rows: list[Vector]) -> None:
    moments = Moments.empty(3)
    equals_numpy(moments, [])
    for seen, row in enumerate(rows, 1):
        moments.add(row)
        equals_numpy(moments, rows[:seen])


def test_moments_far_from_zero_keep_their_variance() -> None:
    rows = 1e9 + np.random.default_rng(0).normal(size=(1000, 3))
    moments = moments_of([tuple(row) for row in rows.tolist()])
    assert moments.m2 / 1000 == pytest.approx(rows.var(axis=0), rel=1e-6)


def shrunk(values: list[float], overall: list[float], prior: float) -> tuple[float, float]:
    """Return mean and variance of one dimension in one cluster, by the definition."""
    (m, v), (mean, variance) = (
        (
            math.fsum(xs) / len(xs),
            math.fsum((x - math.fsum(xs) / len(xs)) ** 2 for x in xs) / len(xs),
        )
        if xs
        else (0.0, 0.0)
        for xs in (values, overall)
    )
    share = len(values) / (len(values) + prior) if values else 0.0
    return share * m + (1 - share) * mean, share * v + (1 - share) * variance


@given(labelled, st.sampled_from([0.0, 0.5, 50.0]))
def test_statistics_are_shrunk_as_the_definition_says(
    rows: list[tuple[int, Vector]], prior: float
) -> None:
    embeddings = np.array([vector for _, vector in rows], np.float32)
    clusters = np.array([cluster for cluster, _ in rows])
    statistics = fit_statistics(embeddings, clusters, 3, prior=prior)
    columns = [[vector[j] for _, vector in rows] for j in range(2)]
    mean_scale = sum(math.sqrt(shrunk(column, column, 0)[1]) for column in columns) / 2
    ridge = 0.1 * mean_scale if mean_scale else 1
    for j, column in enumerate(columns):
        for c in range(3):
            own = [vector[j] for cluster, vector in rows if cluster == c]
            mean, variance = shrunk(own, column, prior)
            assert statistics.counts[c] == len(own)
            assert statistics.mean[c, j] == pytest.approx(mean, rel=1e-6, abs=1e-9)
            scale = math.sqrt(variance) + ridge
            assert statistics.scale[c, j] == pytest.approx(scale, rel=1e-6)
        mean, variance = shrunk(column, column, 0)
        assert statistics.global_mean[j] == pytest.approx(mean, rel=1e-6, abs=1e-9)
        scale = math.sqrt(variance) + ridge
        assert statistics.global_scale[j] == pytest.approx(scale, rel=1e-6)


@given(labelled, labelled, st.booleans())
def test_standardised_is_the_definition_and_of_unit_norm(
    rows: list[tuple[int, Vector]], probes: list[tuple[int, Vector]], centre_only: bool
) -> None:
    embeddings = np.array([vector for _, vector in rows], np.float32)
    clusters = np.array([cluster for cluster, _ in rows])
    statistics = fit_statistics(embeddings, clusters, 3, prior=2, centre_only=centre_only)
    probes = [probe for probe in probes if any(probe[1])]
    asked = np.array([vector for _, vector in probes], np.float32).reshape(-1, 2)
    of = np.array([cluster for cluster, _ in probes], np.intp)
    found = statistics.standardise(asked, of)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    for row, (cluster, vector) in zip(found.tolist(), probes, strict=True):
        z = by_hand(statistics, cluster, vector)
        direction = z if any(z) else vector
        expected = [x / math.hypot(*direction) for x in direction]
        assert row == pytest.approx(expected, abs=1e-5)


def by_hand(statistics: Statistics, cluster: int, vector: Vector) -> list[float]:
    mean, scale = statistics.global_mean, statistics.global_scale
    if cluster >= 0:
        mean, scale = statistics.mean[cluster], statistics.scale[cluster]
    return [(x - float(m)) / float(s) for x, m, s in zip(vector, mean, scale, strict=True)]


seeds = st.integers(0, 2**31)


def spheres(seed: int, n: int = 60, d: int = 8) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return what is standard within each of three clusters, (3n, d), and the clusters (3n,)."""
    z = np.random.default_rng(seed).normal(size=(3, n, d))
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    return z.reshape(-1, d).astype(np.float32), np.repeat(np.arange(3), n)


@given(seeds)
def test_a_planted_shift_and_scale_per_cluster_is_taken_out(seed: int) -> None:
    z, clusters = spheres(seed)
    rng = np.random.default_rng(seed + 1)
    shift, scale = rng.normal(0, 5, (3, 8)), rng.uniform(0.2, 4, (3, 8))
    seen = (z * scale[clusters] + shift[clusters]).astype(np.float32)
    found = fit_statistics(seen, clusters, 3, prior=0).standardise(seen, clusters)
    # Scales have a tenth of the mean global one added.
    dampened = z * scale[clusters] / (scale[clusters] + 0.1 * seen.std(axis=0).mean())
    expected = dampened / np.linalg.norm(dampened, axis=1, keepdims=True)
    assert found == pytest.approx(expected, abs=1e-4)


@given(seeds)
def test_a_planted_shift_is_taken_out_by_centring_alone(seed: int) -> None:
    z, clusters = spheres(seed)
    seen = z + np.random.default_rng(seed + 1).normal(0, 5, (3, 8)).astype(np.float32)[clusters]
    statistics = fit_statistics(seen, clusters, 3, prior=0, centre_only=True)
    found = statistics.standardise(seen, clusters)
    assert found == pytest.approx(z / np.linalg.norm(z, axis=1, keepdims=True), abs=1e-4)


@given(labelled, vectors, st.integers(-1, 2))
def test_drift_is_the_definition(
    rows: list[tuple[int, Vector]], online: list[Vector], cluster: int
) -> None:
    embeddings = np.array([(*vector, 1.0) for _, vector in rows], np.float32)
    labels = np.array([label for label, _ in rows])
    statistics = fit_statistics(embeddings, labels, 3)
    found = drift(statistics, cluster, moments_of(online))
    n, squares = len(online), []
    if n < 2:
        assert found == 0
        return
    mean, scale = statistics.global_mean, statistics.global_scale
    if cluster >= 0:
        mean, scale = statistics.mean[cluster], statistics.scale[cluster]
    for j, column in enumerate(zip(*online, strict=True)):
        now = math.fsum(column) / n
        chance = math.fsum((x - now) ** 2 for x in column) / (n - 1) / n
        squares.append(((now - float(mean[j])) ** 2 - chance) / float(scale[j]) ** 2)
    expected = max(0, math.fsum(squares) / 3)
    assert found**2 == pytest.approx(expected, rel=1e-4, abs=1e-4 * max(map(abs, squares)))


@given(seeds, st.floats(0.5, 3), st.integers(20, 200))
def test_a_planted_drift_is_measured(seed: int, size: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    d = 256
    scale, mean = rng.uniform(0.1, 2, (1, d)).astype(np.float32), rng.normal(size=(1, d))
    there = mean.astype(np.float32)
    statistics = Statistics(there, scale, np.array([4000]), there[0], scale[0])
    direction = rng.normal(size=d)
    direction *= size * math.sqrt(d) / np.linalg.norm(direction)
    moments = Moments.empty(d)
    for z in rng.normal(size=(n, d)):
        moments.add((mean + scale * (z + direction))[0])
    assert drift(statistics, 0, moments) == pytest.approx(size, rel=0.12, abs=0.1)


def test_without_drift_only_chance_is_left_however_few_are_seen() -> None:
    rng = np.random.default_rng(0)
    fit = rng.normal(size=(20000, 512)).astype(np.float32)
    statistics = fit_statistics(fit, np.zeros(20000, np.intp), 1, centre_only=True)
    for n in (2, 10, 100, 1000):
        moments = Moments.empty(512)
        for z in rng.normal(size=(n, 512)):
            moments.add(z)
        # Without the correction it would be √(1/n): 0.71, 0.32, 0.1 and 0.03.
        assert drift(statistics, 0, moments) < 0.35 / math.sqrt(n)
