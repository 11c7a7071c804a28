"""Mean and variance of a stream of vectors, which need not be kept; and their drift."""

from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recognition.statistics import Statistics, check_clusters

Float64 = NDArray[np.float64]


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
