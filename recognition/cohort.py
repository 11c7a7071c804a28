"""How crowded the space is around an embedding, by a cohort of embeddings of other identities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, compare

NEAREST = 10
"""How many of the cohort tell the local scale."""

_MIN_SCALE = 1e-3  # of a cosine distance: an embedding that lies in the cohort itself
_BLOCK = 1024  # embeddings compared at once: bounds the memory to (_BLOCK, cohort) distances


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Embeddings (m, d) of unit norm; none is of an identity that is to be recognised.

    Raises:
        ValueError: there is none.
    """

    vectors: FloatArray

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) == 0:
            raise ValueError(f"expected a cohort of shape (m, d), got {self.vectors.shape}")

    def scales(self, vectors: FloatArray, apart: NDArray[np.bool_] | None = None) -> FloatArray:
        """Return the local scale (n,) of unit vectors (n, d): the mean distance to the ten nearest.

        Where many lie near, near means little: two embeddings are compared by their distance over
        the geometric mean of their scales (local scaling: Zelnik-Manor and Perona, *Self-Tuning
        Spectral Clustering*, 2004; the symmetric cohort normalisation of speaker recognition has
        the same aim). ``apart`` (n, m) leaves members of the cohort out, who share the identity.
        """
        scales = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), _BLOCK):
            block = slice(start, start + _BLOCK)
            near = compare(vectors[block], self.vectors)
            if apart is not None:
                near[apart[block]] = np.inf
            scales[block] = _mean_of_nearest(near)
        return np.maximum(scales, _MIN_SCALE)


def spaced(n: int, most: int) -> NDArray[np.intp]:
    """Return up to ``most`` of n indices, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))


def _mean_of_nearest(near: FloatArray) -> FloatArray:
    count = min(NEAREST, near.shape[1])
    nearest = np.partition(near, count - 1, axis=1)[:, :count]
    present = np.isfinite(nearest)
    total = np.where(present, nearest, 0).sum(axis=1)
    # Nobody is left of the cohort: a scale of 1 leaves the distance as it is.
    mean = np.divide(total, present.sum(axis=1), out=np.ones_like(total), where=present.any(axis=1))
    return np.asarray(mean, np.float32)
