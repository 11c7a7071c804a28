"""The map from distances to probabilities, and whether it holds for identities not in it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lab.fit.outcomes import Answers, Outcome, joined
from recognition.calibration import Calibration, fit_calibration
from recognition.reliability import Reliability, reliability


def calibrate(
    outcomes: Sequence[Outcome], fpir: float, images: int
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
    told = np.empty(half.size)
    for own, other in ((half, ~half), (~half, half)):
        asked, calibration = answers.take(own), _fitted(answers.take(other), images)
        told[own] = calibration.probabilities(asked.ratios, asked.margins)
    return _fitted(answers, images), reliability(told, answers.right)


def _fitted(answers: Answers, images: int) -> Calibration:
    calibration = fit_calibration(answers.ratios, answers.margins, answers.right)
    least = 1 / (images + 2)
    return replace(calibration, probability=calibration.probability.clip(least, 1 - least))
