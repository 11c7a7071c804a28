"""Conditioning: what the background tells, used when embeddings are compared.

An embedding is placed by its background: its cluster, the embedding standardised within that
cluster, and the local scale there. Placed embeddings are compared across clusters::

    d(p, e) = (1 − cos(z_p, z_e)) / (√(r_p · r_e) · level[c_p, c_e])
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background
from recognition.clusters import Clusters
from recognition.distance import FloatArray, compare, prepare
from recognition.statistics import Statistics

Indices = NDArray[np.intp]
NEAREST = 10
"""How many of the cohort tell the local scale."""

_MIN_SCALE = 1e-3  # of a cosine distance: an embedding that lies in the cohort itself
_BLOCK = 1024  # embeddings compared at once: bounds the memory to (_BLOCK, cohort) distances


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Embeddings (m, d) of unit norm; none is of an identity that is to be recognised."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Embeddings as they are compared: n of them.

    Attributes:
        vectors: (n, d) float32, unit norm.
        scales: (n,) float32, the local scale of each.
        clusters: (n,), the cluster of each, -1 where the background tells nothing.
    """

    vectors: FloatArray
    scales: FloatArray
    clusters: Indices

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, which: Indices | NDArray[np.bool_]) -> "Placed":
        """Return those at these indices, or where the mask is true."""
        return Placed(self.vectors[which], self.scales[which], self.clusters[which])


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """Images of identities that the fit held out, placed: they play the strangers.

    ``identities`` (n,) says whose image each is.
    """

    placed: Placed
    identities: NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """The fitted artefact.

    Attributes:
        clusters: of the backgrounds; k of them.
        statistics: by which embeddings are standardised; None compares them as they come.
        cohort: standardised embeddings that tell the local scale; None leaves distances as they
            are.
        levels: (k, k), how near strangers come from probe cluster to gallery cluster, 1 on the
            whole.
        impostors: who set the thresholds.
    """

    clusters: Clusters
    statistics: Statistics | None
    cohort: Cohort | None
    levels: NDArray[np.float64]
    impostors: Impostors

    @property
    def k(self) -> int:
        """The number of clusters."""
        return len(self.clusters.sizes)

    def place(self, embeddings: FloatArray, backgrounds: Sequence[Background]) -> Placed:
        """Place embeddings (n, d), of any norm but zero, by their backgrounds."""
        if len(embeddings) != len(backgrounds):
            raise ValueError(f"{len(embeddings)} embeddings, but {len(backgrounds)} backgrounds")
        clusters = self.clusters.assign(backgrounds).cluster
        return place(embeddings, clusters, self.statistics, self.cohort)

    def distances(self, probes: Placed, entries: Placed) -> FloatArray:
        """Return the conditioned distances (n, m) of probes to entries."""
        return conditioned(probes, entries, self.levels)


def place(
    embeddings: FloatArray,
    clusters: Indices,
    statistics: Statistics | None,
    cohort: Cohort | None,
    apart: NDArray[np.bool_] | None = None,
) -> Placed:
    """Place embeddings (n, d) of these clusters (n,); ``apart`` as in :meth:`Cohort.scales`."""
    unit = prepare(embeddings)
    vectors = unit if statistics is None else statistics.standardise(unit, clusters)
    scales = np.ones(len(vectors), np.float32) if cohort is None else cohort.scales(vectors, apart)
    return Placed(vectors, scales, clusters)


def conditioned(probes: Placed, entries: Placed, levels: NDArray[np.float64]) -> FloatArray:
    """Return the conditioned distances (n, m): cosine distances over local scales and level."""
    near = compare(probes.vectors, entries.vectors)
    near /= np.sqrt(probes.scales)[:, None] * np.sqrt(entries.scales)
    near /= levels_between(levels, probes.clusters, entries.clusters)
    return near


def levels_between(
    levels: NDArray[np.float64], probes: Indices, entries: Indices
) -> NDArray[np.float32]:
    """Return the level (n, m) of each pair; 1 where a cluster is not known."""
    padded = np.pad(levels, (0, 1), constant_values=1.0).astype(np.float32)
    between: NDArray[np.float32] = padded[probes[:, None], entries]  # -1 is the last row
    return between
