"""Cosine distances of embeddings: the one file that knows which direction is closer.

**Smaller is closer.** Everything else in the project compares distances and never similarities.
"""

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def distances(queries: FloatArray, entries: FloatArray) -> FloatArray:
    """Return 1 - cos of every query and every entry: (q, d), (n, d) -> (q, n), from 0 to 2.

    >>> distances(np.float32([[1, 0]]), np.float32([[2, 0], [0, 3], [-1, 0]]))
    array([[0., 1., 2.]], dtype=float32)
    """
    return compare(prepare(queries), prepare(entries))


def prepare(vectors: FloatArray) -> FloatArray:
    """Check (n, d) vectors and bring them to unit norm, as :func:`compare` takes them.

    Who compares the same entries often prepares them once.

    Raises:
        ValueError: not two-dimensional, d = 0, a value that is not finite, or a zero vector, which
            has no direction.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(f"expected vectors of shape (n, d) with d >= 1, got {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite")
    # In float64, so that neither large nor tiny values are lost by squaring.
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if not norms.all():
        raise ValueError("a zero vector has no direction: the cosine needs non-zero vectors")
    unit: FloatArray = np.empty_like(vectors)
    np.divide(vectors, norms[:, None], out=unit, casting="same_kind")
    return unit


def compare(queries: FloatArray, entries: FloatArray) -> FloatArray:
    """Return the distances of :func:`prepare`-d vectors: (q, d), (n, d) -> (q, n)."""
    if queries.shape[1] != entries.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions, entries have {entries.shape[1]}"
        )
    result = 1 - queries @ entries.T
    return result.clip(0, 2)


def from_redis(score: float) -> float:
    """Return the distance that RediSearch's cosine score, 1 - cos, stands for.

    Its rounding may leave the range of a distance by a little (-1e-7 for a vector and itself);
    that is cut off.
    """
    if not math.isfinite(score):
        raise ValueError(f"a vector score must be finite, got {score}")
    return min(max(score, 0.0), 2.0)
