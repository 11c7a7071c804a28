"""All distances that the paper lists, by name, through SciPy; smaller is closer.

The stream compares by the cosine; the others are for ``perennial evaluate``, where they show
whether they would be worth it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import rankdata

from recognition.distance import FloatArray, distances

Float64 = NDArray[np.float64]
Compare = Callable[[FloatArray, FloatArray], Float64]
"""Distances of queries to entries: (q, d), (n, d) -> (q, n)."""
_Transform = Callable[[Float64], NDArray[Any]]

MINKOWSKI_ORDER = 3


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


FITTED = frozenset(
    {
        Distance.STANDARDISED_EUCLIDEAN,
        Distance.MAHALANOBIS,
        Distance.HAMMING,
        Distance.JACCARD,
    }
)
"""Those that need vectors to be fitted on."""


def fit_distance(distance: Distance, train: FloatArray) -> Compare:
    """Return the function that compares by ``distance``, fitted on ``train`` (n, d) where needed.

    ``standardised-euclidean`` takes the variances of ``train`` and ``mahalanobis`` its covariance,
    shrunk after Ledoit and Wolf (2004) since n is seldom far above d. ``hamming`` and ``jaccard``
    compare signs, of the vectors less the median of ``train``: without that the features of a
    network that ends in a ReLU would all be positive.

    Raises:
        ValueError: ``train`` holds fewer than two vectors and the distance is one of
            :data:`FITTED`. The function raises it where a distance is not defined: the cosine of a
            zero vector, the correlation of a constant one.
    """
    if distance is Distance.COSINE:  # as in the stream
        return lambda queries, entries: distances(queries, entries).astype(np.float64)
    if distance is Distance.DOT:
        return lambda queries, entries: 1 - queries.astype(np.float64) @ entries.T
    if distance in FITTED and len(train) < 2:
        raise ValueError(
            f"{distance} is fitted on the embeddings of the train part, which has {len(train)}; "
            f"without it use one of {', '.join(d for d in Distance if d not in FITTED)}"
        )
    name, options, transform = _recipe(distance, train.astype(np.float64))

    def compare(queries: FloatArray, entries: FloatArray) -> Float64:
        probes, gallery = (transform(vectors.astype(np.float64)) for vectors in (queries, entries))
        return _compare(probes, gallery, name, options)

    return compare


def _recipe(distance: Distance, train: Float64) -> tuple[str, dict[str, float], _Transform]:
    """Return SciPy's name and options, and what to make of the vectors first."""
    match distance:
        case Distance.STANDARDISED_EUCLIDEAN:
            return "euclidean", {}, _divided_by(train.std(axis=0, ddof=1))
        case Distance.MAHALANOBIS:
            # The Euclidean distance of whitened vectors is the same, and d times as fast.
            return "euclidean", {}, _whitened(train)
        case Distance.SPEARMAN:
            return "correlation", {}, lambda vectors: rankdata(vectors, axis=1)
        case Distance.HAMMING | Distance.JACCARD:
            middle = np.median(train, axis=0)
            return str(distance), {}, lambda vectors: vectors > middle
        case Distance.MINKOWSKI:
            return "minkowski", {"p": MINKOWSKI_ORDER}, _unchanged
    names = {Distance.SQUARED_EUCLIDEAN: "sqeuclidean", Distance.MANHATTAN: "cityblock"}
    return names.get(distance, str(distance)), {}, _unchanged


def _compare(
    queries: NDArray[Any], entries: NDArray[Any], name: str, options: dict[str, float]
) -> Float64:
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Float64 = cdist(queries, entries, name, **options)
    if not np.isfinite(result).all():
        raise ValueError(f"the {name} distance is not defined for some of these vectors")
    return result


def _unchanged(vectors: Float64) -> Float64:
    return vectors


def _divided_by(deviation: Float64) -> _Transform:
    # A dimension that never varied says nothing about identity: it is left out.
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return lambda vectors: vectors * scale


def _whitened(train: Float64) -> _Transform:
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(train)
    values, directions = np.linalg.eigh(covariance)
    keep = values > values[-1] * len(values) * np.finfo(np.float64).eps
    root = directions[:, keep] / np.sqrt(values[keep])
    return lambda vectors: vectors @ root
