"""The distance up to which a probe counts as known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recognition.tail import Tail, fit_tail, student_quantiles


def open_set_threshold(
    nearest: ArrayLike, identities: Sequence[str] | NDArray[np.generic], target_fpir: float
) -> float | None:
    """Return the largest τ at which strangers are accepted with a share of ``target_fpir``.

    ``nearest`` (n,) holds, for each image of an impostor, the distance to its nearest gallery
    entry; such an image is a false positive identification where that distance is <= τ (FPIR,
    ISO/IEC 19795-1). ``identities`` (n,) says whose image it is. τ comes from the fitted
    :class:`~recognition.tail.Tail`; None where there are not two identities to fit it to.

    Fewer than 1/FPIR images cannot show so small a share. Then τ is no larger than the lower
    Student prediction bound for an image of the next one, m − t(n−1, FPIR)·√(s²·(1 + 1/n) + w²), s
    being the deviation of the identities' means and w² the mean variance of the images of one
    (Hahn and Meeker, *Statistical Intervals*, 1991, §4.7).

    Raises:
        ValueError: the lengths differ, a distance is not finite, or not 0 < target_fpir < 1.
    """
    if not 0 < target_fpir < 1:
        raise ValueError(f"target_fpir must lie between 0 and 1, got {target_fpir}")
    tail = fit_tail(nearest, identities)
    return None if tail is None else cautious_threshold(tail, target_fpir)


def cautious_threshold(tail: Tail, target_fpir: float) -> float:
    """Return the tail's threshold, or the prediction bound where images are few and it is less."""
    threshold = tail.threshold(target_fpir)
    if tail.values.size * target_fpir < 1:
        return min(threshold, _prediction_bound(tail, target_fpir))
    return threshold


def _prediction_bound(tail: Tail, share: float) -> float:
    """Return what an image of the next identity lies below with probability ``share``."""
    counts = np.bincount(tail.owner)
    means = np.bincount(tail.owner, tail.values) / counts
    within = np.bincount(tail.owner, (tail.values - means[tail.owner]) ** 2) / counts
    variance = means.var(ddof=1) * (1 + 1 / means.size) + within.mean()
    return float(means.mean() + student_quantiles(tail.freedom, share) * np.sqrt(variance))
