"""How well embeddings recognise in an open set (ISO/IEC 19795-1), whatever the distance.

Everywhere smaller is closer, and a measure is NaN where there is nothing to measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Labels = NDArray[np.str_]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """What each probe found: p probes.

    Attributes:
        distance: (p,) float64, to the nearest gallery entry.
        right: (p,) bool, whether that entry is of the probe's identity.
        known: (p,) bool, whether the gallery holds the probe's identity.
        label: (p,) str, the probe's identity.
    """

    distance: Float64
    right: NDArray[np.bool_]
    known: NDArray[np.bool_]
    label: Labels

    def __len__(self) -> int:
        return len(self.distance)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> "Identified":
        """Return the probes at these indices, or where the mask is true."""
        return Identified(
            self.distance[which], self.right[which], self.known[which], self.label[which]
        )


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold does.

    Attributes:
        threshold: the largest distance at which a probe counts as known.
        tpir: share of the known probes whose nearest entry is of their identity and within it.
        fpir: share of the unknown probes that have any entry within it.
        review: share of all probes without an entry within it: a person must look at them.
    """

    threshold: float
    tpir: float
    fpir: float
    review: float


def identify(
    distances: ArrayLike,
    gallery_labels: Sequence[str] | Labels,
    probe_labels: Sequence[str] | Labels,
) -> Identified:
    """Look every probe up by its (p, g) distances to a gallery; of equally near entries the first.

    >>> identified = identify([[0.1, 0.9], [0.8, 0.3]], ["cow", "ox"], ["cow", "elk"])
    >>> identified.right.tolist(), identified.known.tolist()
    ([True, False], [True, False])
    """
    matrix, gallery, probes = _checked(distances, gallery_labels, probe_labels)
    nearest = matrix.argmin(axis=1)
    return Identified(
        distance=matrix[np.arange(len(probes)), nearest],
        right=gallery[nearest] == probes,
        known=np.isin(probes, gallery),
        label=probes,
    )


def at_threshold(identified: Identified, threshold: float) -> OperatingPoint:
    """Return what ``threshold`` does to these probes."""
    accepted = identified.distance <= threshold
    return OperatingPoint(
        threshold=threshold,
        tpir=_share(accepted & identified.right, identified.known),
        fpir=_share(accepted, ~identified.known),
        review=1 - _share(accepted),
    )


def tpir_at_fpir(identified: Identified, fpir: float) -> OperatingPoint:
    """Return the point at the largest threshold that keeps ``fpir`` on these very probes.

    An oracle: the threshold is taken from the impostors that it is judged by. It lies just below
    the (k+1)-th smallest distance of an unknown probe, k being the number that may be accepted.
    """
    if not 0 <= fpir < 1:
        raise ValueError(f"fpir must be at least 0 and below 1, got {fpir}")
    impostors = identified.distance[~identified.known]
    n = impostors.size
    if n == 0:
        return OperatingPoint(np.nan, np.nan, np.nan, np.nan)
    # Compared as shares, since floor(0.29 * 100) is 28 in floating point. Never n: fpir is < 1.
    allowed = np.count_nonzero(np.arange(1, n + 1) / n <= fpir)
    first_rejected = np.partition(impostors, allowed)[allowed]
    return at_threshold(identified, float(np.nextafter(first_rejected, -np.inf)))


def rank1(identified: Identified) -> float:
    """Return the share of the known probes whose nearest entry is of their identity."""
    return _share(identified.right, identified.known)


def auroc(identified: Identified) -> float:
    """Return the chance that a known probe lies nearer to the gallery than an unknown one.

    The area under the ROC curve by the Mann-Whitney statistic; a tie counts half.
    """
    known = np.count_nonzero(identified.known)
    unknown = len(identified) - known
    if known == 0 or unknown == 0:
        return np.nan
    ranks = rankdata(identified.distance)[~identified.known].sum()
    return float((ranks - unknown * (unknown + 1) / 2) / (known * unknown))


def average_precision(
    distances: ArrayLike,
    gallery_labels: Sequence[str] | Labels,
    probe_labels: Sequence[str] | Labels,
) -> Float64:
    """Return the average precision of each probe's ranking of the gallery (p,); NaN for unknown.

    The mean, over the probe's own entries, of the precision among all entries that lie no farther
    than that one; equal distances are one step of the ranking.
    """
    matrix, gallery, probes = _checked(distances, gallery_labels, probe_labels)
    result = np.full(len(probes), np.nan)
    for place, (row, label) in enumerate(zip(matrix, probes, strict=True)):
        own = np.sort(row[gallery == label])
        if own.size:
            hits = np.searchsorted(own, own, side="right")
            result[place] = np.mean(hits / np.searchsorted(np.sort(row), own, side="right"))
    return result


def mean(values: Float64) -> float:
    """Return the mean of what is not NaN, and NaN where that is nothing."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else np.nan


def _share(those: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> float:
    """Return the share of ``those`` (true) in the ones ``among`` which it is asked."""
    asked = those if among is None else those[among]
    return float(np.count_nonzero(asked) / asked.size) if asked.size else np.nan


def _checked(
    distances: ArrayLike,
    gallery_labels: Sequence[str] | Labels,
    probe_labels: Sequence[str] | Labels,
) -> tuple[Float64, Labels, Labels]:
    matrix = np.asarray(distances, dtype=np.float64)
    gallery = np.asarray(gallery_labels, dtype=np.str_)
    probes = np.asarray(probe_labels, dtype=np.str_)
    if gallery.size == 0 or matrix.shape != (len(probes), len(gallery)):
        raise ValueError(
            f"expected distances of shape (probes, gallery) = ({len(probes)}, {len(gallery)}) to "
            f"one entry or more, got {matrix.shape}"
        )
    if np.isnan(matrix).any():
        raise ValueError("a distance is NaN")
    return matrix, gallery, probes
