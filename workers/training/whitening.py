"""Whitening of what varies within identities: the Mahalanobis distance with a closed form."""

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_TINY = float(np.finfo(np.float32).tiny)


def whiten(points: Array, labels: Indices, dimension: int, power: float) -> Array:
    """Divide every direction by its deviation within identities, to a power.

    1 is relevant component analysis (Bar-Hillel et al. 2005, JMLR 6), here with the covariance
    shrunk after Ledoit & Wolf 2004; with up to C - 1 dimensions it spans Fisher's discriminants. 0
    is principal component analysis.

    Args:
        points: (n, d).
        labels: (n,) identities, from 0 to C - 1.
        dimension: k; the axes kept are those with the most variance after whitening.
        power: from 0 to 1.

    Returns:
        (k, d).
    """
    inside, _ = ledoit_wolf(residuals(points, labels), assume_centered=True)
    values, vectors = np.linalg.eigh(inside)
    values = values.clip(max(float(values.max()) * 1e-6, _TINY))
    white = vectors * values ** (-power / 2) @ vectors.T
    variance = white @ np.cov(points.T).reshape(inside.shape) @ white
    axes = np.linalg.eigh(variance)[1][:, ::-1].T[:dimension]
    whitened: Array = axes @ white
    return whitened


def residuals(points: Array, labels: Indices) -> Array:
    """Return (n, d): every point less the mean of its identity."""
    sums = np.zeros((int(labels.max()) + 1, points.shape[1]))
    np.add.at(sums, labels, points)
    means = sums / np.bincount(labels)[:, None]
    left: Array = points - means[labels]
    return left
