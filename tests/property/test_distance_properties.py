"""Distances against plain Python arithmetic in double precision."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from recognition.distance import FloatArray, distances, from_redis

components = st.floats(-100, 100, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3)


@st.composite
def queries_and_entries(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    q, n, d = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    return (
        draw(arrays(np.float32, (q, d), elements=components)),
        draw(arrays(np.float32, (n, d), elements=components)),
    )


def redis_score(x: list[float], y: list[float]) -> float:
    """What RediSearch documents as the score of the cosine."""
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return 1 - dot / (math.hypot(*x) * math.hypot(*y))


def without_zero_vectors(*groups: FloatArray) -> None:
    assume(all(group.any(axis=1).all() for group in groups))


@given(queries_and_entries())
def test_they_are_what_redis_would_score_and_we_would_convert(
    vectors: tuple[FloatArray, FloatArray],
) -> None:
    queries, entries = vectors
    without_zero_vectors(queries, entries)
    expected = [[from_redis(redis_score(x, y)) for y in entries.tolist()] for x in queries.tolist()]
    assert distances(queries, entries) == pytest.approx(np.array(expected), rel=1e-5, abs=2e-6)


@given(queries_and_entries())
def test_they_are_symmetric(vectors: tuple[FloatArray, FloatArray]) -> None:
    queries, entries = vectors
    without_zero_vectors(queries, entries)
    there, back = distances(queries, entries), distances(entries, queries)
    assert there == pytest.approx(back.T, rel=1e-5, abs=1e-6)


@given(queries_and_entries())
def test_nothing_is_closer_than_the_vector_itself(vectors: tuple[FloatArray, FloatArray]) -> None:
    queries, _ = vectors
    without_zero_vectors(queries)
    apart = distances(queries, queries)
    assert np.diagonal(apart) == pytest.approx(np.zeros(len(queries)), abs=1e-6)
    assert (apart >= 0).all()


@given(queries_and_entries())
def test_the_inputs_stay_as_they_were(vectors: tuple[FloatArray, FloatArray]) -> None:
    queries, entries = vectors
    without_zero_vectors(queries, entries)
    before = queries.copy(), entries.copy()
    distances(queries, entries)
    assert np.array_equal(queries, before[0])
    assert np.array_equal(entries, before[1])
