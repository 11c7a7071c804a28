"""k-means where values are missing, and no cluster is too small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.background import Encoded, Encoder

Float64 = NDArray[np.float64]
Labels = NDArray[np.intp]

RESTARTS = 10
MAX_ROUNDS = 300  # it settles long before; a guard against rounding


class _Settled(NamedTuple):
    centres: Float64
    labels: Labels
    cost: float


def k_means(encoder: Encoder, rows: Encoded, k: int, *, smallest: int, seed: int = 0) -> Float64:
    """Return up to k centres (k, p), each the nearest one of at least ``smallest`` rows.

    Lloyd's algorithm (*Least squares quantization in PCM*, 1982): a row goes to the nearest centre,
    of equally near ones to the largest cluster's, which comes first; a centre is the mean of each
    feature over its rows that have it, or over all rows if none has. This lowers
    Σ known·distance² in every step, so it ends (k-POD, Chi, Chi and Baraniuk 2016). Of ten starts
    by k-means++ (Arthur and Vassilvitskii 2007) the one that comes lowest is kept. Then the
    smallest cluster is dissolved and the others settle anew, until none is too small or one is
    left. Rows of which nothing is known take no part; without others there is no centre.

    Raises:
        ValueError: k or ``smallest`` is below 1.
    """
    if k < 1 or smallest < 1:
        raise ValueError(f"k and smallest must be at least 1, got {k} and {smallest}")
    rows = rows[encoder.known(rows) > 0]
    if len(rows) == 0:
        return rows.features
    overall = _means(encoder, rows, np.zeros(len(rows), np.intp), np.zeros((1, encoder.columns)))
    starts = _starts(np.where(encoder.mask(rows), rows.features, overall), k, seed)
    settled = (_settle(encoder, rows, start, overall) for start in starts)
    best = min(settled, key=lambda run: run.cost)
    while len(best.centres) > 1:
        sizes = np.bincount(best.labels, minlength=len(best.centres))
        if sizes.min() >= smallest:
            break
        others = np.delete(best.centres, sizes.argmin(), axis=0)
        best = _settle(encoder, rows, others, overall)
    return best.centres


def nearest(encoder: Encoder, rows: Encoded, centres: Float64) -> tuple[Labels, Float64]:
    """Return the nearest centre (n,) of each row, and its distances (n, k) to all of them.

    The first centre, and NaN, where nothing of a row is known.
    """
    everywhere = np.ones((len(centres), len(encoder.variables)), np.bool_)
    distances = encoder.distances(rows, Encoded(centres, everywhere))
    return distances.argmin(axis=1), distances


def _starts(filled: Float64, k: int, seed: int) -> Iterator[Float64]:
    from sklearn.cluster import kmeans_plusplus  # here, since its import is slow

    random = np.random.RandomState(seed)
    k = min(k, len(np.unique(filled, axis=0)))
    for _ in range(RESTARTS):
        yield kmeans_plusplus(filled, n_clusters=k, random_state=random)[0]


def _settle(encoder: Encoder, rows: Encoded, centres: Float64, overall: Float64) -> _Settled:
    labels, _ = nearest(encoder, rows, centres)
    for _ in range(MAX_ROUNDS):
        before = labels
        centres = _means(encoder, rows, labels, np.repeat(overall, len(centres), axis=0))
        centres = centres[np.argsort(-np.bincount(labels, minlength=len(centres)), kind="stable")]
        labels, distances = nearest(encoder, rows, centres)
        if np.array_equal(labels, before):
            break
    cost = float((encoder.known(rows) * distances.min(axis=1) ** 2).sum())
    return _Settled(centres, labels, cost)


def _means(encoder: Encoder, rows: Encoded, labels: Labels, otherwise: Float64) -> Float64:
    """Return the mean (k, p) of the present features of each label; ``otherwise`` of no rows."""
    belongs = (labels == np.arange(len(otherwise))[:, None]).astype(np.float64)
    counts = belongs @ encoder.mask(rows).astype(np.float64)
    means = otherwise.copy()
    np.divide(belongs @ rows.features, counts, out=means, where=counts > 0)
    return means
