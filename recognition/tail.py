"""How near strangers come: the tail of the impostor distances, with identities as the units.

A threshold for a small FPIR is a quantile far out in that tail, and images are not the sample that
it rests on: a stranger who resembles someone enrolled does so in all of his images. So each
identity weighs the same, and strangers yet unseen may come nearer than those that were seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recognition.bootstrap import Interval, interval
from recognition.pareto import Pareto, fit_pareto

Float64 = NDArray[np.float64]

TAIL = 0.1
"""The share of the distances that the Pareto tail is fitted to."""

PRIOR_IDENTITIES = 2.0
"""How many identities must show a cluster for it to count as much as all clusters together."""

_NODES = 64
_MIN_EXCEEDANCES, _MIN_IDENTITIES = 20, 5
_STEPS = 50  # halvings: a threshold to 1e-15 of the range
_ROUNDING = 1e-6  # of float32 distances: that of a to b is not exactly that of b to a


@dataclass(frozen=True, eq=False)
class Tail:
    """The distribution of the distance at which a stranger's image finds its nearest entry.

    Attributes:
        values: (n,) float64, ascending.
        owner: (n,) whose image each is, from 0 on.
        bandwidth: how far a new identity may lie from those seen, in the distance's unit.
        freedom: degrees of freedom of that, the distinct identities less one.
        pareto: the fitted low end; None where data are few: the distances themselves then.
    """

    values: Float64
    owner: NDArray[np.intp]
    bandwidth: float
    freedom: int
    pareto: Pareto | None

    @property
    def identities(self) -> int:
        """How many identities it rests on."""
        return int(self.owner.max()) + 1

    def fpir(self, threshold: float) -> float:
        """Return the share of a stranger's images that would be accepted at ``threshold``."""
        return float(self._below(threshold - self._jitter).mean())

    def threshold(self, fpir: float) -> float:
        """Return the largest distance that keeps the FPIR."""
        if not 0 < fpir < 1:
            raise ValueError(f"fpir must lie between 0 and 1, got {fpir}")
        low, high = self.values[0], self.values[-1] + np.ptp(self._jitter)
        step = high - low
        while self.fpir(low) > fpir:  # strangers may come nearer than those that were seen
            low, step = low - step, 2 * step
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.fpir(middle) <= fpir else (low, middle)
        return float(low)

    def interval(self, threshold: float, *, strangers: int, draws: int = 1000) -> Interval:
        """Return within what the FPIR of so many strangers will lie in 95 of 100 cases.

        Both are uncertain, the population that was seen and the strangers that come from it: so
        identities are drawn with replacement twice, and each is moved as a new one may lie.
        """
        if strangers < 1 or draws < 1:
            raise ValueError(f"expected strangers and draws, got {strangers} and {draws}")
        rng = np.random.default_rng(0)
        population = rng.integers(self.identities, size=(draws, self.identities))
        come = rng.integers(self.identities, size=(draws, strangers))
        who = np.take_along_axis(population, come, axis=1)
        moved = threshold - self.bandwidth * rng.standard_t(self.freedom, size=who.shape)
        shares = np.empty(who.shape)
        for identity in range(self.identities):
            own = self.values[self.owner == identity]
            drawn = who == identity
            shares[drawn] = np.searchsorted(own, moved[drawn], side="right") / own.size
        return interval(shares.mean(axis=1))

    @cached_property
    def _cumulative(self) -> Float64:
        return np.concatenate([[0.0], np.cumsum(_weights(self.owner))])

    @cached_property
    def _jitter(self) -> Float64:
        shares = (np.arange(_NODES) + 0.5) / _NODES
        return self.bandwidth * student_quantiles(self.freedom, shares)

    def _below(self, thresholds: Float64) -> Float64:
        seen = self._cumulative[np.searchsorted(self.values, thresholds, side="right")]
        if self.pareto is None:
            return seen
        return np.where(thresholds < self.pareto.start, self.pareto.share(thresholds), seen)


def student_quantiles(freedom: int, shares: ArrayLike) -> Float64:
    """Return the quantiles of Student's t of so many degrees of freedom."""
    from scipy.special import stdtrit  # here, since its import is slow

    return np.asarray(stdtrit(freedom, shares))


def fit_tail(nearest: ArrayLike, identities: Sequence[str] | NDArray[np.generic]) -> Tail | None:
    """Fit the tail to the nearest distances (n,) of images of these ``identities`` (n,).

    The low tenth follows a generalised Pareto distribution (Pickands 1975; Coles, *An Introduction
    to Statistical Modeling of Extreme Values*, 2001) where it holds 20 distances and there are five
    identities. A new identity lies where one of those seen lies, moved by Student's t times
    Silverman's bandwidth of the identities' means, 0.9·s·n^(−1/5) (*Density Estimation*, 1986,
    §3.4.2): much where they are few, and little where they are many. Identities of equal means
    count once: two entries that are each other's nearest are one observation.

    None where that leaves fewer than two, which say nothing of a spread.
    """
    values = np.asarray(nearest, dtype=np.float64)
    if values.ndim != 1 or len(identities) != len(values) or not np.isfinite(values).all():
        raise ValueError("expected finite distances of shape (n,), and an identity for each")
    _, codes = np.unique(np.asarray(identities), return_inverse=True)
    order = np.argsort(values, kind="stable")
    values, owner = values[order], codes[order].astype(np.intp)
    means = _distinct(np.bincount(owner, values) / np.bincount(owner))
    if means.size < 2:
        return None
    return Tail(values, owner, _bandwidth(means), means.size - 1, _pareto(values, owner))


def weighted_quantile(
    values: ArrayLike, identities: Sequence[str] | NDArray[np.generic], share: float
) -> float:
    """Return the quantile of values (n,), n >= 1, in which each identity weighs the same.

    >>> weighted_quantile([1, 2, 3, 9], ["cow", "cow", "cow", "ox"], 0.5)
    3.0
    """
    _, codes = np.unique(np.asarray(identities), return_inverse=True)
    given = np.asarray(values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    return sorted_quantile(given[order], codes[order], share)


def sorted_quantile(ascending: Float64, codes: NDArray[np.intp], share: float) -> float:
    """Return :func:`weighted_quantile` of ascending values (n,) of identities by number (n,)."""
    counts = np.bincount(codes)
    reached = np.cumsum(1 / counts[codes])  # each identity weighs 1
    place = int(np.searchsorted(reached, (share - 1e-12) * np.count_nonzero(counts)))
    return float(ascending[min(place, ascending.size - 1)])


def weighted_mean(values: ArrayLike, identities: Sequence[str] | NDArray[np.generic]) -> float:
    """Return the mean of values (n,), n >= 1, in which each identity weighs the same.

    >>> weighted_mean([True, True, False], ["cow", "cow", "ox"])
    0.5
    """
    _, codes = np.unique(np.asarray(identities), return_inverse=True)
    return float(np.asarray(values, dtype=np.float64) @ _weights(codes))


def _distinct(means: Float64) -> Float64:
    """Return means in ascending order; of those that differ by rounding alone, one."""
    ascending = np.sort(means)
    rounding = _ROUNDING * np.abs(means).max(initial=0)
    differ = np.diff(ascending, prepend=-np.inf) > rounding
    return np.asarray(ascending[differ])


def _bandwidth(means: Float64) -> float:
    deviation = float(means.std(ddof=1))
    return 0.9 * deviation * math.pow(means.size, -0.2)


def _pareto(values: Float64, owner: NDArray[np.intp]) -> Pareto | None:
    weights = _weights(owner)
    start = weighted_quantile(values, owner, TAIL)
    low = values < start
    if np.count_nonzero(low) < _MIN_EXCEEDANCES or owner.max() + 1 < _MIN_IDENTITIES:
        return None
    return fit_pareto(start, start - values[low], weights[low])


def _weights(owner: NDArray[np.intp]) -> Float64:
    """Return weights (n,) of sum 1 by which each identity counts the same."""
    counts = np.bincount(owner)
    return 1 / (counts[owner] * counts.size)


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
