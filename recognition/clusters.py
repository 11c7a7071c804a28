"""Groups of backgrounds that are alike, and where a background belongs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background, Encoded, Encoder
from recognition.cluster import NO_CLUSTER
from recognition.described import describe

Float64 = NDArray[np.float64]

MIN_SPREAD = 1e-6
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


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """Where n backgrounds belong.

    Attributes:
        cluster: (n,), the nearest cluster; -1 where nothing tells.
        membership: (n, k), how probable each cluster is; rows sum to 1.
        known: (n,), how much of the background is known, as a share of the weight.
    """

    cluster: Labels
    membership: Float64
    known: Float64


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of backgrounds, the largest first.

    Attributes:
        centres: (k, p), the mean of each feature over the rows of the cluster that have it.
        spread: root mean squared distance of the fit data to their centres.
        sizes: (k,), how many backgrounds of the fit data belong to each.
    """

    encoder: Encoder
    centres: Float64
    spread: float
    sizes: Labels
    descriptions: tuple[str, ...]

    def __post_init__(self) -> None:
        k = len(self.descriptions)
        if k == 0 or self.sizes.shape != (k,) or self.centres.shape != (k, self.encoder.columns):
            raise ValueError(
                f"expected a size and a centre of {self.encoder.columns} columns for each of {k} "
                f"descriptions, got shapes {self.sizes.shape} and {self.centres.shape}"
            )
        if not 0 < self.spread < inf:
            raise ValueError(f"spread must be positive and finite, got {self.spread}")

    def __len__(self) -> int:
        return len(self.descriptions)

    def assign(self, backgrounds: Sequence[Background]) -> Assigned:
        """Return the nearest cluster of each background, and how probable each is.

        The membership of cluster c is the softmax over c of −v·κ·d_c² / (2·spread²), with Gower's
        distance d_c to its centre, the number v of variables and the share κ of their weight that
        is known. That is the posterior probability if clusters are equally frequent and normal,
        equally wide in every variable; what is missing is integrated out, and so speaks neither for
        nor against any. Where nothing is known all are equally probable, and the cluster is -1. If
        there is only one cluster, everything belongs to it.
        """
        encoded = self.encoder.encode(backgrounds)
        known = self.encoder.known(encoded)
        cluster, distances = nearest(self.encoder, encoded, self.centres)
        lost = known == 0
        distances[lost] = 0
        sharpness = len(self.encoder.variables) * known / (2 * self.spread**2)
        evidence = -sharpness[:, None] * distances**2
        membership = np.exp(evidence - evidence.max(axis=1, keepdims=True))
        membership /= membership.sum(axis=1, keepdims=True)
        cluster[lost] = NO_CLUSTER if len(self) > 1 else 0
        return Assigned(cluster, membership, known)


def everything(n: int, encoder: Encoder) -> Clusters:
    """Return one cluster, to which all n backgrounds belong whatever they are.

    Its centre is 0 and its spread 1: neither means anything.

    >>> everything(1252, Encoder(())).descriptions
    ('everything: 1,252 images',)
    """
    centres = np.zeros((1, encoder.columns))
    descriptions = describe(encoder, [{}] * n, np.zeros(n, np.intp), 1)
    return Clusters(encoder, centres, 1.0, np.array([n], np.intp), descriptions)


def fit_clusters(
    encoder: Encoder,
    backgrounds: Sequence[Background],
    k: int,
    *,
    smallest: int = 20,
    seed: int = 0,
) -> Clusters:
    """Fit up to k clusters of at least ``smallest`` backgrounds each, by :func:`k_means`.

    Backgrounds of which nothing is known take no part. Where only one cluster is left, the result
    is :func:`everything`. The same seed gives the same clusters.
    """
    encoded = encoder.encode(backgrounds)
    centres = k_means(encoder, encoded, k, smallest=smallest, seed=seed)
    if len(centres) < 2:
        return everything(len(backgrounds), encoder)
    known = encoder.known(encoded) > 0
    labels, distances = nearest(encoder, encoded, centres)
    mean_square = float((distances[known].min(axis=1) ** 2).mean())
    labels[~known] = NO_CLUSTER
    return Clusters(
        encoder,
        centres,
        max(sqrt(mean_square), MIN_SPREAD),
        np.bincount(labels[known], minlength=len(centres)),
        describe(encoder, backgrounds, labels, len(centres)),
    )
