"""Which FPIR is really to be expected where one was asked for."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from lab.fit.outcomes import Outcome
from recognition.bootstrap import Interval

USUAL: Final = (0.001, 0.01, 0.05)
"""The FPIRs that are always told of, beside the one that was asked for."""


class Expected(NamedTuple):
    """Of so many strangers, a share within ``interval`` is accepted in 95 of 100 cases.

    ``threshold`` is τ for all clusters together, in the median gallery.
    """

    fpir: float
    interval: Interval
    threshold: float


def expected(outcomes: Sequence[Outcome], fpir: float, strangers: int) -> tuple[Expected, ...]:
    """Return what is to be expected at ``fpir`` and at the usual ones, ascending.

    The ends of the interval are their means over the galleries, of which there must be one.
    """
    return tuple(_expected(outcomes, each, strangers) for each in sorted({fpir, *USUAL}))


def typical(outcomes: Iterable[Outcome], fpir: float) -> Outcome:
    """Return the outcome with the median threshold, the lower of two."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.tails.tail.threshold(fpir))
    return ordered[(len(ordered) - 1) // 2]


def _expected(outcomes: Sequence[Outcome], fpir: float, strangers: int) -> Expected:
    ends = [outcome.tails.interval(fpir, strangers=strangers) for outcome in outcomes]
    low, high = np.mean(ends, axis=0).tolist()
    thresholds = [outcome.tails.tail.threshold(fpir) for outcome in outcomes]
    return Expected(fpir, Interval(low, high), float(np.median(thresholds)))
