"""All distances that the paper lists, by name; smaller is closer.

Three of them, :class:`~recognition.distance.Metric`, can be indexed by Redis and so be used in the
stream; the others are for ``perennial evaluate``, where they show whether they would be worth it.
How they are computed: :mod:`recognition.fitted_distance`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from recognition.distance import Metric


class Distance(StrEnum):
    """The distances by the names that the paper gives them."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    SQUARED_EUCLIDEAN = "squared-euclidean"
    DOT = "dot"
    MANHATTAN = "manhattan"
    CHEBYSHEV = "chebyshev"
    MINKOWSKI = "minkowski"  # of order 3: 1, 2 and infinity have names of their own
    STANDARDISED_EUCLIDEAN = "standardised-euclidean"
    MAHALANOBIS = "mahalanobis"
    CORRELATION = "correlation"
    SPEARMAN = "spearman"
    HAMMING = "hamming"
    JACCARD = "jaccard"


INDEXED: Mapping[Distance, Metric] = MappingProxyType(
    {
        Distance.COSINE: Metric.COSINE,
        Distance.EUCLIDEAN: Metric.L2,
        Distance.DOT: Metric.IP,
    }
)
"""Those that Redis can index, and so the stream can use."""

FITTED = frozenset(
    {
        Distance.STANDARDISED_EUCLIDEAN,
        Distance.MAHALANOBIS,
        Distance.HAMMING,
        Distance.JACCARD,
    }
)
"""Those that need vectors to be fitted on."""


def metric_of(distance: Distance) -> Metric:
    """Return the metric by which the stream compares as by ``distance``.

    >>> metric_of(Distance.EUCLIDEAN)
    <Metric.L2: 'l2'>

    Raises:
        ValueError: Redis has no index for it.
    """
    if distance not in INDEXED:
        raise ValueError(
            f"the stream cannot use the distance {distance}: Redis indexes only "
            f"{', '.join(INDEXED)}; {distance} is for `perennial evaluate`"
        )
    return INDEXED[distance]
