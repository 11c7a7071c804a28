"""Distances between embeddings: the one file that knows which direction is closer.

Whatever the metric, **smaller is closer**. Everything else in the project compares distances and
never similarities.
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# Norms up to here keep every distance within float32, squares included.
MAX_NORM = 1e18


class Metric(StrEnum):
    """How two embeddings are compared; the values are RediSearch's names in lower case."""

    COSINE = "cosine"  # 1 - cos(x, y), from 0 to 2
    L2 = "l2"  # Euclidean, not squared
    IP = "ip"  # 1 - x·y, unbounded on both sides


def distances(
    queries: FloatArray, entries: FloatArray, metric: Metric = Metric.COSINE
) -> FloatArray:
    """Return the distance of every query to every entry: (q, d), (n, d) -> (q, n).

    >>> distances(np.float32([[1, 0]]), np.float32([[2, 0], [0, 3], [-1, 0]]))
    array([[0., 1., 2.]], dtype=float32)

    Raises:
        ValueError: an input is not what :func:`prepare` accepts, or the dimensions differ.
    """
    return compare(prepare(queries, metric), prepare(entries, metric), metric)


def prepare(vectors: FloatArray, metric: Metric) -> FloatArray:
    """Check (n, d) vectors and bring them into the form that :func:`compare` takes.

    That is unit norm for the cosine and the vectors themselves otherwise. Who compares the same
    entries often prepares them once.

    Raises:
        ValueError: not two-dimensional, d = 0, a value that is not finite, a zero vector (it has
            no direction) under the cosine, or a norm above 1e18 under the others.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(f"expected vectors of shape (n, d) with d >= 1, got {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite")
    # In float64, so that neither large nor tiny values are lost by squaring.
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if metric is Metric.COSINE:
        if not norms.all():
            raise ValueError("a zero vector has no direction: the cosine needs non-zero vectors")
        unit: FloatArray = np.empty_like(vectors)
        np.divide(vectors, norms[:, None], out=unit, casting="same_kind")
        return unit
    if norms.max(initial=0) > MAX_NORM:
        raise ValueError(f"vectors must have a norm of at most {MAX_NORM:g}")
    return vectors


def compare(queries: FloatArray, entries: FloatArray, metric: Metric) -> FloatArray:
    """Return the distances of :func:`prepare`-d vectors: (q, d), (n, d) -> (q, n).

    Raises:
        ValueError: the dimensions differ.
    """
    if queries.shape[1] != entries.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions, entries have {entries.shape[1]}"
        )
    if metric is Metric.L2:
        result = np.empty((len(queries), len(entries)), dtype=np.float32)
        for row, query in zip(result, queries, strict=True):
            # The difference first: |x|² + |y|² - 2x·y cancels where x and y are close.
            row[:] = np.linalg.norm(entries - query, axis=1)
        return result
    result = 1 - queries @ entries.T
    return result.clip(0, 2) if metric is Metric.COSINE else result


def from_redis(score: float, metric: Metric) -> float:
    """Return the distance that RediSearch's vector score stands for.

    RediSearch scores 1 - cos, the *squared* Euclidean distance and 1 - x·y. Its rounding may leave
    the range of a distance by a little (-1e-7 for a vector and itself); that is cut off.

    >>> from_redis(9.0, Metric.L2)
    3.0

    Raises:
        ValueError: the score is not finite.
    """
    if not math.isfinite(score):
        raise ValueError(f"a vector score must be finite, got {score}")
    if metric is Metric.COSINE:
        return min(max(score, 0.0), 2.0)
    if metric is Metric.L2:
        return math.sqrt(max(score, 0.0))
    return score
