"""Embeddings standardised by the statistics of their cluster.

Taking each cluster's own mean and scale out of the embeddings makes clusters comparable: what all
images of a night have in common no longer makes two of them alike (Schubert et al. 2020, arXiv
2001.08960).
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recognition.distance import FloatArray, prepare

Float64 = NDArray[np.float64]
Labels = NDArray[np.intp]

RIDGE = 0.1
"""Added to every scale, as a share of the mean global one: a dead dimension is not blown up."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and scale of each dimension, per cluster and of everything.

    Attributes:
        mean: (k, d) float32.
        scale: (k, d) float32, standard deviations; all 1 where only the mean is taken out.
        counts: (k,), how many embeddings each was fitted on.
        global_mean: (d,) float32.
        global_scale: (d,) float32.
    """

    mean: FloatArray
    scale: FloatArray
    counts: Labels
    global_mean: FloatArray
    global_scale: FloatArray

    def __post_init__(self) -> None:
        k, d = self.counts.size, self.global_mean.size
        shapes = self.mean.shape, self.scale.shape, self.global_mean.shape, self.global_scale.shape
        if shapes != ((k, d), (k, d), (d,), (d,)):
            raise ValueError(f"statistics of {k} clusters do not have shapes {shapes}")
        if not ((self.scale > 0).all() and (self.global_scale > 0).all()):
            raise ValueError("every scale must be positive")

    def standardise(self, embeddings: FloatArray, clusters: Labels) -> FloatArray:
        """Return (f − μ_c) / σ_c at unit norm: (n, d), (n,) -> (n, d) float32.

        Cluster -1 takes the global mean and scale. An embedding that *is* its cluster's mean has no
        direction any more; it is returned as it came, at unit norm.
        """
        n, d = len(clusters), self.global_mean.size
        if embeddings.shape != (n, d):
            raise ValueError(f"expected {n} embeddings of size {d}, got {embeddings.shape}")
        check_clusters(clusters, len(self.counts))
        z: FloatArray = embeddings.astype(np.float32) - self.means[clusters]
        z /= self.scales[clusters]
        # In float64, so that neither large nor tiny values are lost by squaring.
        norms = np.sqrt(np.einsum("nd,nd->n", z, z, dtype=np.float64))
        if not np.isfinite(norms).all():
            raise ValueError("embeddings must be finite")
        if not norms.all():
            lost = norms == 0
            z[lost] = prepare(embeddings[lost])
            norms[lost] = 1
        np.divide(z, norms[:, None], out=z, casting="same_kind")
        return z

    # The global row comes last: it is the one that cluster -1 takes.

    @cached_property
    def means(self) -> FloatArray:
        """The means (k + 1, d) of all clusters, and the global one."""
        return np.vstack([self.mean, self.global_mean])

    @cached_property
    def scales(self) -> FloatArray:
        """The scales (k + 1, d) of all clusters, and the global one."""
        return np.vstack([self.scale, self.global_scale])


def fit_statistics(
    embeddings: FloatArray,
    clusters: Labels,
    k: int,
    *,
    prior: float = 50.0,
    centre_only: bool = False,
) -> Statistics:
    """Fit the statistics of k clusters, shrunk toward those of all embeddings.

    A cluster of n_c embeddings has its own mean and variance by the share n_c/(n_c + prior), and
    the global ones by the rest. A cluster without embeddings is the global one. A tenth of the
    mean global scale is added to every scale.

    Args:
        embeddings: (n, d), as the model gives them.
        clusters: (n,), -1 for none; such embeddings count for the global statistics alone.
        prior: how many embeddings the global statistics weigh.
        centre_only: only take the mean out; scales are 1.
    """
    _check_fit(embeddings, clusters, k, prior)
    counts = np.bincount(clusters[clusters >= 0], minlength=k)
    global_mean, global_variance = _mean_and_variance(embeddings)
    mean, variance = np.tile(global_mean, (k, 1)), np.tile(global_variance, (k, 1))
    for cluster in np.flatnonzero(counts):
        own = counts[cluster] / (counts[cluster] + prior)
        own_mean, own_variance = _mean_and_variance(embeddings[clusters == cluster])
        mean[cluster] += own * (own_mean - global_mean)
        variance[cluster] += own * (own_variance - global_variance)
    if centre_only:
        variance, global_variance = np.ones_like(variance), np.ones_like(global_variance)
    ridge = 0.0 if centre_only else _ridge(global_variance)
    return Statistics(
        mean.astype(np.float32),
        (np.sqrt(variance) + ridge).astype(np.float32),
        counts,
        global_mean.astype(np.float32),
        (np.sqrt(global_variance) + ridge).astype(np.float32),
    )


def _mean_and_variance(embeddings: FloatArray) -> tuple[Float64, Float64]:
    return (
        embeddings.mean(axis=0, dtype=np.float64),
        embeddings.var(axis=0, dtype=np.float64),
    )


def _ridge(variance: Float64) -> float:
    mean_scale = float(np.sqrt(variance).mean())
    return RIDGE * mean_scale if mean_scale > 0 else 1.0


def _check_fit(embeddings: FloatArray, clusters: Labels, k: int, prior: float) -> None:
    if embeddings.ndim != 2 or 0 in embeddings.shape or clusters.shape != embeddings.shape[:1]:
        raise ValueError(
            f"expected embeddings (n, d) and clusters (n,), got {embeddings.shape} "
            f"and {clusters.shape}"
        )
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    if k < 1 or not 0 <= prior < inf:
        raise ValueError(f"expected k >= 1 and a prior from 0, got {k} and {prior}")
    check_clusters(clusters, k)


def check_clusters(clusters: Labels, k: int) -> None:
    """Raise ValueError unless all clusters are -1 or one of k."""
    if clusters.size and not -1 <= clusters.min() <= clusters.max() < k:
        raise ValueError(f"expected clusters from -1 to {k - 1}")


@dataclass(slots=True, eq=False)
class Moments:
    """The first two moments of the vectors added so far (Welford 1962), all in float64.

    Attributes:
        count: how many vectors.
        mean: (d,); zeros before the first.
        m2: (d,), the sum of squared deviations from the mean; zeros before the second.

    >>> moments = Moments.empty(1)
    >>> for value in (1.0, 2.0, 6.0):
    ...     moments.add([value])
    >>> moments.mean.tolist(), moments.m2.tolist()
    ([3.0], [14.0])
    """

    count: int
    mean: Float64
    m2: Float64

    def __post_init__(self) -> None:
        if self.count < 0 or self.mean.ndim != 1 or self.m2.shape != self.mean.shape:
            raise ValueError(
                f"expected a count and two arrays of shape (d,), got {self.count}, "
                f"{self.mean.shape} and {self.m2.shape}"
            )

    @classmethod
    def empty(cls, dim: int) -> Self:
        """Return the moments of no vectors of ``dim`` numbers."""
        return cls(0, np.zeros(dim), np.zeros(dim))

    def add(self, vector: ArrayLike) -> None:
        """Add one vector (d,).

        Raises:
            ValueError: it is of another shape or not finite; nothing has changed then.
        """
        value = np.asarray(vector, dtype=np.float64)
        if value.shape != self.mean.shape or not np.isfinite(value).all():
            raise ValueError(f"expected a finite vector of shape {self.mean.shape}")
        self.count += 1
        before = value - self.mean
        self.mean += before / self.count
        self.m2 += before * (value - self.mean)


def drift(statistics: Statistics, cluster: int, moments: Moments) -> float:
    """Return how far a cluster's embeddings have moved, in the scales of the fit.

    The root mean square over dimensions of (m̂ − μ_c)/σ_c, m̂ being the mean of the n raw embeddings
    in ``moments``, less what chance alone adds to the square: s²/(n·σ_c²), by their own variance
    s². It is 0 for n < 2, and where the shift is no larger than chance. Embeddings are taken to be
    independent: a run of images of one animal looks like drift. In a thin cluster, so does what
    the fit shrank away. Cluster -1 is compared with the global statistics.
    """
    check_clusters(np.array([cluster]), len(statistics.counts))
    if moments.mean.shape != statistics.global_mean.shape:
        raise ValueError(f"expected moments of shape {statistics.global_mean.shape}")
    n = moments.count
    if n < 2:
        return 0.0
    variance = statistics.scales[cluster].astype(np.float64) ** 2
    squared_shift = (moments.mean - statistics.means[cluster]) ** 2
    chance = moments.m2 / (n - 1) / n
    return sqrt(max(0.0, float(((squared_shift - chance) / variance).mean())))
