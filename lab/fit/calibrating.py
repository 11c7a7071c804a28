"""Estimates what a fitted conditioning will reach in operation: its FPIR, and its probabilities."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from lab.fit.outcomes import ProbeAnswers, TrialOutcome, joined
from lab.fit.report import ExpectedFpir
from recognition.calibration import Calibration, fit_calibration
from recognition.reliability import Reliability, reliability

USUAL: Final = (0.001, 0.01, 0.05)
"""The FPIRs that are always told of, beside the one that was asked for."""


def expected(
    outcomes: Sequence[TrialOutcome], fpir: float, strangers: int
) -> tuple[ExpectedFpir, ...]:
    """Return what is to be expected at ``fpir`` and at the usual ones, ascending.

    The ends of the interval are their means over the galleries, of which there must be one.
    """
    return tuple(_expected(outcomes, each, strangers) for each in sorted({fpir, *USUAL}))


def typical(outcomes: Iterable[TrialOutcome], fpir: float) -> TrialOutcome:
    """Return the outcome with the median threshold, the lower of two."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.tails.tail.threshold(fpir))
    return ordered[(len(ordered) - 1) // 2]


def _expected(outcomes: Sequence[TrialOutcome], fpir: float, strangers: int) -> ExpectedFpir:
    ends = [outcome.tails.interval(fpir, strangers=strangers) for outcome in outcomes]
    low, high = np.mean(ends, axis=0).tolist()
    thresholds = [outcome.tails.tail.threshold(fpir) for outcome in outcomes]
    median = float(np.median(thresholds))
    return ExpectedFpir(fpir=fpir, low=low, high=high, threshold=median)


def calibrate(
    outcomes: Sequence[TrialOutcome], fpir: float, images: int
) -> tuple[Calibration, Reliability] | None:
    """Return the map fitted to all probes, and how well one of half the identities does.

    For the latter the identities are divided in two: the answers of each half are given the
    probabilities of the map that the other half makes.

    Args:
        outcomes: one or more.
        fpir: whose thresholds distances and margins are relative to.
        images: how many different ones there are among the probes, which come again in each trial.
            Certainty is that of so many: 1/(images + 2) off 0 and 1, by the rule of succession.

    None where no threshold lies above 0: nothing is identified then.
    """
    answers = joined([outcome.answers(fpir) for outcome in outcomes])
    names = np.unique(answers.identities)
    if names.size < 2:
        return None
    chosen = np.random.default_rng(0).permutation(names)[: names.size // 2]
    half = np.isin(answers.identities, chosen)
    predicted = np.empty(half.size)
    for own, other in ((half, ~half), (~half, half)):
        asked, calibration = answers.take(own), _fitted(answers.take(other), images)
        predicted[own] = calibration.probabilities(asked.ratios, asked.margins)
    return _fitted(answers, images), reliability(predicted, answers.right)


def _fitted(answers: ProbeAnswers, images: int) -> Calibration:
    calibration = fit_calibration(answers.ratios, answers.margins, answers.right)
    least = 1 / (images + 2)
    return replace(calibration, probability=calibration.probability.clip(least, 1 - least))
