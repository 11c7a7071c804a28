"""Whether probabilities hold what they promise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of nearly the same probability.

    Attributes:
        predicted: the mean of their probabilities.
        observed: the share of them that is right.
        count: how many there are.
    """

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """The points of the reliability diagram, from low to high probability.

    ``error`` is the expected calibration error (Naeini et al. 2015): the mean over all answers of
    |observed − predicted| of their bin.
    """

    bins: tuple[Bin, ...]
    error: float


def reliability(probabilities: ArrayLike, right: ArrayLike, bins: int = 10) -> Reliability:
    """Sort answers (n,) by their probability into equally wide bins, and leave out the empty ones.

    >>> reliability([0.1, 0.9, 0.9], [False, True, False], bins=2).bins[1]
    Bin(predicted=0.9, observed=0.5, count=2)

    Raises:
        ValueError: there is no answer or no bin, the lengths differ, or a probability is not
            between 0 and 1.
    """
    predicted, hit = np.asarray(probabilities, np.float64), np.asarray(right, np.bool_)
    if predicted.ndim != 1 or predicted.size == 0 or hit.shape != predicted.shape or bins < 1:
        raise ValueError(f"expected (n,), n >= 1, got {predicted.shape}, {hit.shape}, {bins} bins")
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError("probabilities lie between 0 and 1")
    places = np.minimum(predicted * bins, bins - 1).astype(np.intp)
    counts = np.bincount(places)
    filled = tuple(
        Bin(float(total / count), float(hits / count), int(count))
        for total, hits, count in zip(
            np.bincount(places, predicted), np.bincount(places, hit), counts, strict=True
        )
        if count
    )
    gaps = sum(abs(each.observed - each.predicted) * each.count for each in filled)
    return Reliability(filled, gaps / predicted.size)
