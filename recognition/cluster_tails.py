"""The impostor tail of every cluster: one shape for all, and how near strangers come in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.bootstrap import Interval
from recognition.cluster import EVERYWHERE, Cluster, cluster_name
from recognition.tail import PRIOR_IDENTITIES, Tail, fit_tail, sorted_quantile

INDEX = 0.1
"""The quantile that tells a cluster's scale: far enough out to matter, with images to show it."""

MIN_IDENTITIES = 4
"""From how many identities on a cluster has a scale of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterTails:
    """How near strangers come, by the cluster of the probe.

    Attributes:
        scales: (k + 1,), how far their nearest entries lie beside those of everyone; the last, for
            probes of no cluster, is 1.
        tail: of the distances over the scale of their cluster.
    """

    scales: NDArray[np.float64]
    tail: Tail

    def thresholds(self, fpir: float) -> NDArray[np.float64]:
        """Return τ (k + 1,) by probe cluster, the last for probes of no cluster."""
        return self.scales * self.tail.threshold(fpir)

    def named_thresholds(self, fpir: float) -> dict[Cluster, float]:
        """Return τ by the name of the probe cluster, for probes of none under ``EVERYWHERE``."""
        *own, everywhere = self.thresholds(fpir).tolist()
        named = {cluster_name(number): threshold for number, threshold in enumerate(own)}
        return {**named, EVERYWHERE: everywhere}

    def interval(self, fpir: float, *, strangers: int) -> Interval:
        """Return within what the FPIR of so many strangers will lie at :meth:`thresholds`."""
        return self.tail.interval(self.tail.threshold(fpir), strangers=strangers)


def fit_cluster_tails(
    nearest: NDArray[np.float32],
    identities: NDArray[np.str_] | NDArray[np.intp],
    clusters: NDArray[np.intp],
    k: int,
) -> ClusterTails | None:
    """Fit to the nearest distances (n,) of impostors' images, with the cluster (n,) of each.

    A cluster's scale is the 10 % quantile of its distances over that of all, drawn toward 1
    by n/(n + 2) for n identities. What is far out, where no cluster alone has the images to show
    it, is estimated from all of them together (the index-flood procedure: Hosking and Wallis,
    *Regional Frequency Analysis*, 1997). None where there are no two identities of different
    distances.
    """
    scales = cluster_scales(nearest, identities, clusters, k)
    tail = fit_tail(nearest / scales[clusters], identities)
    return None if tail is None else ClusterTails(scales, tail)


def cluster_scales(
    nearest: NDArray[np.float32],
    identities: NDArray[np.str_] | NDArray[np.intp],
    clusters: NDArray[np.intp],
    k: int,
) -> NDArray[np.float64]:
    """Return the scales (k + 1,) of :func:`fit_cluster_tails`."""
    scales = np.ones(k + 1)
    if k == 1 or nearest.size == 0:
        return scales
    order = np.argsort(nearest, kind="stable")  # once for all clusters
    ascending = nearest[order].astype(np.float64)
    who, where = np.unique(identities, return_inverse=True)[1][order], clusters[order]
    everyone = sorted_quantile(ascending, who, INDEX)
    for cluster in range(k):
        own = np.flatnonzero(where == cluster)
        identified = who[own]
        count = np.count_nonzero(np.bincount(identified))
        if count >= MIN_IDENTITIES and everyone > 0:
            relative = sorted_quantile(ascending[own], identified, INDEX) / everyone
            scales[cluster] = (count * relative + PRIOR_IDENTITIES) / (count + PRIOR_IDENTITIES)
    return scales
