"""From the measures of each split to estimates over all of them."""

import math
from collections.abc import Mapping

import numpy as np

from lab.evaluate.measures import Measures, Resampled
from lab.evaluate.report import Estimate, SplitEstimate
from recognition.bootstrap import interval
from recognition.evaluation import mean


def estimates(measured: Mapping[int, Measures], *, each: bool = True) -> dict[str, Estimate]:
    """Return an estimate per measure, of the measures of each split; ``each`` split with it."""
    names = next(iter(measured.values()), {})
    return {
        name: _estimate({s: measures[name] for s, measures in measured.items()}, each=each)
        for name in names
    }


def differences(
    measured: Mapping[int, Measures], baseline: Mapping[int, Measures]
) -> dict[str, Estimate]:
    """Return an estimate per measure of how much more ``measured`` has, on the splits of both."""
    return estimates(
        {
            split: {name: measured[split][name] - baseline[split][name] for name in measured[split]}
            for split in measured
            if split in baseline
        }
    )


def number(value: float) -> float | None:
    """Return ``value``, or None for NaN and infinity, which JSON does not have."""
    return value if math.isfinite(value) else None


def _estimate(of: Mapping[int, Resampled], *, each: bool) -> Estimate:
    values = np.array([resampled.value for resampled in of.values()])
    values = values[~np.isnan(values)]
    drawn = np.stack([resampled.draws for resampled in of.values()])
    counts = (~np.isnan(drawn)).sum(axis=0)
    total = np.nansum(drawn, axis=0)
    means = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
    low, high = interval(means)
    return Estimate(
        mean=number(mean(values)),
        spread=float(values.std(ddof=1)) if values.size > 1 else None,
        low=number(low),
        high=number(high),
        splits=tuple(_of_split(split, resampled) for split, resampled in of.items() if each),
    )


def _of_split(split: int, resampled: Resampled) -> SplitEstimate:
    low, high = interval(resampled.draws)
    return SplitEstimate(
        split=split, value=number(resampled.value), low=number(low), high=number(high)
    )
