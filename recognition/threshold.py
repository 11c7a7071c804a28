"""The distance up to which a probe counts as known."""

import numpy as np
from scipy.special import stdtrit

from recognition.distance import FloatArray


def open_set_threshold(nearest_impostor: FloatArray, target_fpir: float) -> float | None:
    """Return the largest float32 τ at which at most ``target_fpir`` of the impostors are accepted.

    ``nearest_impostor`` (n,) holds, for each impostor probe, the distance to its nearest gallery
    entry; such a probe is a false positive identification where that distance is <= τ (FPIR,
    ISO/IEC 19795-1). τ lies just below the (k+1)-th smallest of them, k being the number that may
    be accepted.

    Fewer than 1/FPIR impostors cannot show so small a share: the smallest of them is too large a
    τ. Then τ is no larger than the lower Student prediction bound for the next impostor, mean −
    t(n−1, FPIR)·s·√(1 + 1/n) (Hahn & Meeker 1991, §4.7), which is wide while n is small. Equal
    distances count once in it: two entries that are each other's nearest are one observation.
    None where there are not two to estimate a spread from.

    >>> open_set_threshold(np.float32([0.4, 0.1, 0.3, 0.2]), 0.25)  # 0.1 may pass, 0.2 may not
    0.19999998807907104

    Raises:
        ValueError: the distances are not one-dimensional and finite, or not 0 < target_fpir < 1.
    """
    if not 0 < target_fpir < 1:
        raise ValueError(f"target_fpir must lie between 0 and 1, got {target_fpir}")
    if nearest_impostor.ndim != 1 or not np.isfinite(nearest_impostor).all():
        raise ValueError("nearest_impostor must be one-dimensional and finite")
    n = nearest_impostor.size
    if n == 0:
        return None
    # Compared as shares, since floor(0.29 * 100) is 28 in floating point. Never n: the FPIR is < 1.
    accepted = np.count_nonzero(np.arange(1, n + 1) / n <= target_fpir)
    first_rejected = float(np.partition(nearest_impostor, accepted)[accepted])
    if accepted == 0:
        distinct = np.unique(nearest_impostor)
        if distinct.size < 2:
            return None
        first_rejected = min(first_rejected, _prediction_bound(distinct, target_fpir))
    return float(np.nextafter(np.float32(first_rejected), np.float32(-np.inf)))


def _prediction_bound(sample: FloatArray, share: float) -> float:
    """Return what the next draw of a normal population lies below with probability ``share``."""
    wide = sample.astype(np.float64)
    quantile = float(stdtrit(wide.size - 1, share))  # of Student's t
    return float(wide.mean() + quantile * wide.std(ddof=1) * np.sqrt(1 + 1 / wide.size))
