"""Groups of backgrounds that are alike, and where a background belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background, Encoder
from recognition.cluster import NO_CLUSTER
from recognition.described import describe
from recognition.kmeans import Labels, k_means, nearest

Float64 = NDArray[np.float64]

MIN_SPREAD = 1e-6


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
        encoder: what reads a background.
        centres: (k, p), the mean of each feature over the rows of the cluster that have it.
        spread: root mean squared distance of the fit data to their centres.
        sizes: (k,), how many backgrounds of the fit data belong to each.
        descriptions: a few plain words about each.

    Raises:
        ValueError: there is no cluster, the shapes differ, or the spread is not positive.
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

    Raises:
        ValueError: k or ``smallest`` is below 1.
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
