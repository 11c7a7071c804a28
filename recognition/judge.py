"""How well a way to compare recognises, over many small trials."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.cluster_tails import cluster_scales
from recognition.conditioning import Placed, conditioned
from recognition.protocol import Trial
from recognition.trials import tpir_of


def judge(
    placed: Placed,
    levels: NDArray[np.float64],
    identities: NDArray[np.str_],
    trials: Sequence[Trial],
    fpir: float,
) -> NDArray[np.float64]:
    """Return the TPIR of each trial at an FPIR that is met on the trial itself.

    Each cluster has its own threshold there: distances count relative to how near the others, all
    of them strangers when their own identity is left out, come from that cluster.
    """
    matrix = conditioned(placed, placed, levels)
    codes = np.unique(identities, return_inverse=True)[1]  # numbers are compared faster
    same = codes[:, None] == codes
    found = np.empty(len(trials))
    for at, trial in enumerate(trials):
        others = np.where(same[:, trial.gallery], np.inf, matrix[:, trial.gallery]).min(axis=1)
        scales = cluster_scales(others, codes, placed.clusters, len(levels))
        near = matrix[np.ix_(trial.probes, trial.gallery)]
        near /= scales[placed.clusters[trial.probes], None]
        found[at] = tpir_of(near, trial, identities, fpir)
    return found
