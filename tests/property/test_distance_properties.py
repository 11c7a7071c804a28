"""Distances against plain Python arithmetic in double precision."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from recognition.distance import FloatArray, Metric, distances, from_redis

components = st.floats(-100, 100, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3)


@st.composite
def queries_and_entries(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    q, n, d = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    return (
        draw(arrays(np.float32, (q, d), elements=components)),
        draw(arrays(np.float32, (n, d), elements=components)),
    )


def redis_score(x: list[float], y: list[float], metric: Metric) -> float:
    """What RediSearch documents as the score of its metrics."""
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    if metric is Metric.L2:
        return math.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True))
    return 1 - (dot / (math.hypot(*x) * math.hypot(*y)) if metric is Metric.COSINE else dot)


def without_zero_vectors(metric: Metric, *groups: FloatArray) -> None:
    assume(metric is not Metric.COSINE or all(group.any(axis=1).all() for group in groups))


@given(queries_and_entries(), st.sampled_from(Metric))
def test_they_are_what_redis_would_score_and_we_would_convert(
    vectors: tuple[FloatArray, FloatArray], metric: Metric
) -> None:
    queries, entries = vectors
    without_zero_vectors(metric, queries, entries)
    expected = [
        [from_redis(redis_score(x, y, metric), metric) for y in entries.tolist()]
        for x in queries.tolist()
    ]
    scale = 1e5 if metric is Metric.IP else 1  # x·y of terms up to 10,000 may cancel
    assert distances(queries, entries, metric) == pytest.approx(
        np.array(expected), rel=1e-5, abs=2e-6 * scale
    )


@given(queries_and_entries(), st.sampled_from(Metric))
def test_they_are_symmetric(vectors: tuple[FloatArray, FloatArray], metric: Metric) -> None:
    queries, entries = vectors
    without_zero_vectors(metric, queries, entries)
    there, back = distances(queries, entries, metric), distances(entries, queries, metric)
    assert there == pytest.approx(back.T, rel=1e-5, abs=1e-2 if metric is Metric.IP else 1e-6)


@given(queries_and_entries(), st.sampled_from([Metric.COSINE, Metric.L2]))
def test_nothing_is_closer_than_the_vector_itself(
    vectors: tuple[FloatArray, FloatArray], metric: Metric
) -> None:
    queries, _ = vectors
    without_zero_vectors(metric, queries)
    found = distances(queries, queries, metric)
    assert np.diagonal(found) == pytest.approx(np.zeros(len(queries)), abs=1e-6)
    assert (found >= 0).all()


@given(queries_and_entries())
def test_the_inputs_stay_as_they_were(vectors: tuple[FloatArray, FloatArray]) -> None:
    queries, entries = vectors
    without_zero_vectors(Metric.COSINE, queries, entries)
    before = queries.copy(), entries.copy()
    distances(queries, entries)
    assert np.array_equal(queries, before[0])
    assert np.array_equal(entries, before[1])
