"""How near strangers come from one cluster to another: what makes the clusters comparable."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.conditioning import Placed, conditioned
from recognition.tail import PRIOR_IDENTITIES

SHARE = 0.01
"""The quantile of the distances of strangers that a level stands for."""

LEAST_LEVEL = 0.1
"""However near strangers come from one cluster to another, distances are not blown up by more."""

_BLOCK = 512  # probes compared at once: bounds the memory to (_BLOCK, n) distances


def fit_levels(placed: Placed, identities: NDArray[np.str_], k: int) -> NDArray[np.float64]:
    """Return the level (k, k) of each pair of clusters, probe first.

    That is the 1 % quantile of the distances between different identities, over that of all pairs
    of clusters; drawn toward 1 by n/(n + 2), n being the identities in the rarer of the two.
    """
    near = {pair: [np.empty(0, np.float32)] for pair in np.ndindex(k, k)}
    flat = np.ones((k, k))
    for start in range(0, len(placed), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(placed)))
        found = conditioned(placed.take(rows), placed, flat)
        strange = identities[rows, None] != identities
        for pair in np.ndindex(k, k):
            both = strange & (placed.clusters[rows, None] == pair[0])
            both &= placed.clusters == pair[1]
            near[pair].append(found[both])
    shown = [np.unique(identities[placed.clusters == cluster]).size for cluster in range(k)]
    return _relative({pair: np.concatenate(some) for pair, some in near.items()}, shown)


def _relative(
    near: Mapping[tuple[int, ...], NDArray[np.float32]], shown: Sequence[int]
) -> NDArray[np.float64]:
    """Return the levels by the distances of each pair and the identities that each shows."""
    levels = np.ones((len(shown), len(shown)))
    everything = np.concatenate(list(near.values()))
    if everything.size == 0:
        return levels
    overall = float(np.quantile(everything, SHARE))
    for pair, own in near.items():
        if own.size and overall > 0:
            count = min(shown[cluster] for cluster in pair)
            weight = count / (count + PRIOR_IDENTITIES)
            levels[pair] = weight * float(np.quantile(own, SHARE)) / overall + (1 - weight)
    return np.maximum(levels, LEAST_LEVEL)
