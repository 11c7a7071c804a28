"""How probable it is that the identity named is the right one.

A distance alone does not say: what is near under one threshold is far under another, and who has a
rival is doubtful however near he is. So the evidence for an identity is::

    e = weight · margin / τ − distance / τ

and its probability is a map of e, fitted on probes whose identity is known. A margin counts up to
one threshold either way, a distance up to five. The map holds where strangers are as frequent as
they were among those probes.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

MIN_ISOTONIC = 200
"""From how many probes on the map may have any rising shape; below that it is a logistic one."""

MAX_WEIGHT = 10.0
WIDEST = 1.0
"""The margin, over the threshold, above which a rival no longer matters."""

FARTHEST = 5.0
"""The distance, over the threshold, beyond which all are equally far."""

_KNOTS = 33  # between two of them the logistic map rises by 1/32 at most
_FLAT = 1e-3  # in log odds: what rises by less from end to end is a constant
_STRENGTH = 100.0  # of the data over a prior on the slopes: it only settles what nothing tells


@dataclass(frozen=True, eq=False)
class Calibration:
    """A rising, piecewise linear map from evidence to probability, level beyond its ends.

    Attributes:
        weight: how much a margin of one threshold counts beside a distance of one.
        evidence: (m,), strictly ascending.
        probability: (m,), from 0 to 1, never falling.
    """

    weight: float
    evidence: Float64
    probability: Float64

    def __post_init__(self) -> None:
        x, y = self.evidence, self.probability
        if x.ndim != 1 or x.size == 0 or y.shape != x.shape or not np.isfinite(x).all():
            raise ValueError(f"expected points (m,), m >= 1, got {x.shape} and {y.shape}")
        if not ((np.diff(x) > 0).all() and (np.diff(y) >= 0).all()):
            raise ValueError("evidence must ascend, and probability must not fall")
        if not (y[0] >= 0 and y[-1] <= 1 and 0 <= self.weight < inf):
            raise ValueError("probabilities lie between 0 and 1, and the weight is not negative")

    def of(self, distance: float, threshold: float, margin: float | None) -> float | None:
        """Return the probability that the identity at ``distance`` is right.

        ``margin`` is how much farther the next identity lies, None where none is in sight. Without
        a threshold above 0 nothing can be said.
        """
        if threshold <= 0:
            return None
        far = inf if margin is None else margin / threshold
        return float(self.probabilities([distance / threshold], [far])[0])

    def probabilities(self, ratios: ArrayLike, margins: ArrayLike) -> Float64:
        """Return the probabilities (n,) for distances and margins (n,), both over the threshold."""
        return np.interp(_evidence(ratios, margins, self.weight), self.evidence, self.probability)


def fit_calibration(ratios: ArrayLike, margins: ArrayLike, right: ArrayLike) -> Calibration:
    """Fit the map to n probes: what each found first, and whether that was right.

    The weight is that of a logistic regression on both ratios. The map is isotonic (Zadrozny and
    Elkan 2002), kept off 0 and 1 as by the rule of succession; with fewer than 200 probes it is
    logistic, with smoothed targets (Platt 1999).

    Args:
        ratios: (n,), distance / τ.
        margins: (n,), margin / τ, infinite where no other identity was in sight.
        right: (n,), whether the identity is the probe's; never for a stranger.
    """
    near, apart = np.asarray(ratios, np.float64), np.asarray(margins, np.float64)
    hit = np.asarray(right, np.bool_)
    if near.ndim != 1 or near.size == 0 or not near.shape == apart.shape == hit.shape:
        raise ValueError(f"expected (n,), n >= 1, got {near.shape}, {apart.shape}, {hit.shape}")
    if not np.isfinite(near).all() or np.isnan(apart).any():
        raise ValueError("ratios must be finite, and margins no NaN")
    toward, aside = _logistic(np.stack([-_near(near), _apart(apart)], axis=1), hit)[0]
    weight = float(np.clip(aside / max(toward, aside / MAX_WEIGHT, 1e-9), 0, MAX_WEIGHT))
    evidence = _evidence(near, apart, weight)
    fitted = _isotonic if near.size >= MIN_ISOTONIC else _platt
    return Calibration(weight, *fitted(evidence, hit))


def _evidence(ratios: ArrayLike, margins: ArrayLike, weight: float) -> Float64:
    return weight * _apart(margins) - _near(ratios)


def _near(ratios: ArrayLike) -> Float64:
    return np.minimum(np.asarray(ratios, np.float64), FARTHEST)


def _apart(margins: ArrayLike) -> Float64:
    return np.clip(np.asarray(margins, np.float64), -WIDEST, WIDEST)


def _isotonic(evidence: Float64, right: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    from sklearn.isotonic import IsotonicRegression  # here, since its import is slow

    least = 1 / (evidence.size + 2)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least).fit(evidence, right)
    return fitted.X_thresholds_, fitted.y_thresholds_


def _platt(evidence: Float64, right: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    from scipy.special import expit, logit  # here, since its import is slow

    (slope,), offset = _logistic(evidence[:, None], right)
    ends = np.array([evidence.min(), evidence.max()])
    if slope * np.ptp(ends) < _FLAT:  # or falling, which no map may be
        return ends[:1], np.array([(np.count_nonzero(right) + 1) / (right.size + 2)])
    low, high = expit(offset + slope * ends)
    # Equal steps of probability, so that no step is large, however steep the map is.
    steps = np.linspace(low, high, _KNOTS)[1:-1]
    knots = (logit(steps) - offset) / slope
    return np.concatenate([ends[:1], knots, ends[1:]]), np.concatenate([[low], steps, [high]])


def _logistic(features: Float64, right: NDArray[np.bool_]) -> tuple[Float64, float]:
    """Return slopes and offset of a logistic regression (n, f) on Platt's smoothed targets."""
    from scipy.optimize import minimize  # here, since their imports are slow
    from scipy.special import expit

    hits = int(np.count_nonzero(right))
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (right.size - hits + 2))
    x = np.column_stack([features, np.ones(right.size)])
    prior = np.append(np.full(features.shape[1], 1 / _STRENGTH), 0)

    def loss(slopes: Float64) -> tuple[float, Float64]:
        log_odds = x @ slopes
        cost = np.logaddexp(0, log_odds).sum() - target @ log_odds + prior @ slopes**2 / 2
        return float(cost), x.T @ (expit(log_odds) - target) + prior * slopes

    start = np.zeros(x.shape[1])
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15}).x
    return solution[:-1], float(solution[-1])


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
