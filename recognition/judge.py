"""What trials say of one way to condition, by distances that are computed once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.cluster_tails import cluster_scales
from recognition.conditioning import Placed, conditioned, spaced
from recognition.distance import FloatArray
from recognition.evaluation import Identified, tpir_at_fpir
from recognition.half_samples import TrialScores, balanced_halves
from recognition.protocol import Indices, Trial

TRIALS_A_HALF: Final = 16
"""The same for all halves; with fewer, chance within a half is most of what sets halves apart."""

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


def judge(
    placed: Placed,
    levels: Float64,
    identities: NDArray[np.str_],
    trials: Sequence[Trial],
    fpir: float,
    *,
    seed: int = 0,
) -> TrialScores:
    """Return the TPIR of each trial at an FPIR that is met on the trial itself.

    Each cluster has its own threshold there: distances count relative to how near the others, all
    of them strangers when their own identity is left out, come from that cluster.

    Halves of the identities are judged by 16 of the trials, evenly spaced. Nobody of the other
    half is enrolled there, comes as a probe, or sets a threshold. All halves share the distances.

    Args:
        placed: n images.
        levels: (k, k), of the pairs of their clusters.
        identities: (n,).
        trials: of these images, one or more.
        fpir: from 0, and below 1.
        seed: of the halves. The same halves the same identities in the same way.
    """
    names, codes = np.unique(identities, return_inverse=True)  # numbers are compared faster
    distances = conditioned(placed, placed, levels)
    images = _Images(identities, codes, placed.clusters)
    lineups = [_line_up(distances, images, trial) for trial in trials]
    everyone = np.ones(names.size, np.bool_)
    return TrialScores(
        whole=np.array([each.tpir(everyone, len(levels), fpir) for each in lineups]),
        halves=_halves(lineups, names.size, len(levels), fpir, seed),
        identities=names.size,
    )


def _halves(
    lineups: Sequence["_LineUp"], identities: int, k: int, fpir: float, seed: int
) -> Float64:
    """Return the mean TPIR of each half; NaN where none of its trials has both kinds of probes."""
    able = np.zeros(identities, np.bool_)
    for each in lineups:
        able[each.enrolled] = True
    shared = [lineups[i] for i in spaced(len(lineups), TRIALS_A_HALF)]
    halves = balanced_halves(able, seed)
    scores = [[each.tpir(members, k, fpir) for each in shared] for members in halves]
    return np.array([_mean(own) for own in scores], np.float64)


def _mean(scores: Sequence[float]) -> float:
    present = [score for score in scores if not np.isnan(score)]
    return float(np.mean(present)) if present else np.nan


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """Of n images the identity, its number, and the cluster."""

    names: NDArray[np.str_]
    codes: Indices
    clusters: Indices


def _line_up(distances: FloatArray, images: _Images, trial: Trial) -> "_LineUp":
    codes = images.codes[trial.gallery]
    order = np.argsort(codes, kind="stable")
    enrolled, starts = np.unique(codes[order], return_index=True)
    nearest = np.minimum.reduceat(distances.T[trial.gallery[order]], starts, axis=0)
    probed = np.zeros(len(images.codes), np.bool_)
    probed[trial.probes] = True
    return _LineUp(images, nearest, enrolled, probed)


@dataclass(frozen=True, slots=True, eq=False)
class _LineUp:
    """A trial of n images, by how far the nearest entry of each enrolled identity lies from each.

    Attributes:
        nearest: (i, n), the distance.
        enrolled: (i,), the numbers of the identities, ascending.
        probed: (n,), whether the image is looked up.
    """

    images: _Images
    nearest: FloatArray
    enrolled: Indices
    probed: Mask

    def tpir(self, members: Mask, k: int, fpir: float) -> float:
        """Return the TPIR where only these identities are: NaN without known or unknown probes."""
        those = np.flatnonzero(members[self.images.codes])
        rows = np.flatnonzero(members[self.enrolled])
        if rows.size == 0:
            return np.nan
        near, enrolled = self.nearest[np.ix_(rows, those)], self.enrolled[rows]
        codes, clusters = self.images.codes[those], self.images.clusters[those]
        own = enrolled[:, None] == codes
        scales = cluster_scales(np.where(own, np.inf, near).min(axis=0), codes, clusters, k)
        first = near.argmin(axis=0)
        asked = np.flatnonzero(self.probed[those])
        nearest = first[asked]
        found = Identified(
            distance=near[nearest, asked] / scales[clusters[asked]],
            right=enrolled[nearest] == codes[asked],
            known=own[:, asked].any(axis=0),
            label=self.images.names[those[asked]],
        )
        return tpir_at_fpir(found, fpir).tpir
