"""What held-out images find in small galleries of each other, and what that promises of a fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lab.fit.report import ExpectedFpir
from recognition.calibration import Calibration, Reliability, fit_calibration, reliability
from recognition.cluster_tails import ClusterTails, fit_cluster_tails
from recognition.conditioning import Conditioning, conditioned
from recognition.distance import FloatArray
from recognition.fit import Sample, mixed_and_single
from recognition.protocol import Trial

Float64 = NDArray[np.float64]
USUAL: Final = (0.001, 0.01, 0.05)
"""The FPIRs that are always told of, beside the one that was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeAnswers:
    """What p probes found.

    Attributes:
        ratios: (p,), the distance to the nearest entry over the threshold.
        margins: (p,), how much farther the next identity lies over the threshold; infinite where
            there is none.
        right: (p,), whether the nearest entry is of the probe's identity; never for a stranger.
        identities: (p,), whose the probes are.
    """

    ratios: Float64
    margins: Float64
    right: NDArray[np.bool_]
    identities: NDArray[np.str_]

    def take(self, which: NDArray[np.bool_]) -> "ProbeAnswers":
        """Return those for which the mask is true."""
        return ProbeAnswers(
            self.ratios[which], self.margins[which], self.right[which], self.identities[which]
        )


@dataclass(frozen=True, slots=True, eq=False)
class TrialOutcome:
    """One gallery, and p probes that were looked up in it.

    Attributes:
        entries: how many images are in the gallery.
        tails: how near strangers come to it: every image with its own identity left out.
        distances: (p,), to the nearest entry.
        margins: (p,), how much farther the next identity lies.
        right: (p,), whether the nearest entry is of the probe's identity.
        clusters: (p,), of the probes; -1 for none.
        identities: (p,), whose they are.
    """

    entries: int
    tails: ClusterTails
    distances: FloatArray
    margins: FloatArray
    right: NDArray[np.bool_]
    clusters: NDArray[np.intp]
    identities: NDArray[np.str_]

    def answers(self, fpir: float) -> ProbeAnswers:
        """Return what the probes found, without those whose threshold is not above 0."""
        thresholds = self.tails.thresholds(fpir)[self.clusters]
        there = thresholds > 0
        return ProbeAnswers(
            self.distances[there] / thresholds[there],
            self.margins[there] / thresholds[there],
            self.right[there],
            self.identities[there],
        )


def outcomes(conditioning: Conditioning, held_out: Sample) -> list[TrialOutcome]:
    """Enrol some of the held-out identities anew, again and again, and look the others up.

    Half of the galleries are of one condition, as in the race of :func:`recognition.fit.fit`.
    Left out is a gallery to which all come equally near.

    Args:
        conditioning: fitted with these images as its impostors.
        held_out: the images, in the same order.

    Raises:
        ValueError: the identities are too few for a trial.
    """
    impostors = conditioning.impostors
    matrix = conditioned(impostors.placed, impostors.placed, conditioning.levels)
    trials = mixed_and_single(conditioning.clusters.encoder, held_out)
    tried = (_outcome(matrix, conditioning, trial) for trial in trials)
    return [outcome for outcome in tried if outcome is not None]


def joined(answers: Sequence[ProbeAnswers]) -> ProbeAnswers:
    """Return all of them as one; there must be one at least."""
    return ProbeAnswers(
        np.concatenate([each.ratios for each in answers]),
        np.concatenate([each.margins for each in answers]),
        np.concatenate([each.right for each in answers]),
        np.concatenate([each.identities for each in answers]),
    )


def _outcome(matrix: FloatArray, conditioning: Conditioning, trial: Trial) -> TrialOutcome | None:
    who = conditioning.impostors.identities
    clusters = conditioning.impostors.placed.clusters
    enrolled = who[trial.gallery]
    near = matrix[:, trial.gallery]
    others = np.where(who[:, None] == enrolled, np.inf, near).min(axis=1)
    strange = np.isfinite(others)  # all, unless a single identity is enrolled
    tails = fit_cluster_tails(
        others[strange], who[strange], clusters[strange], len(conditioning.levels)
    )
    if tails is None:
        return None
    near, identities = near[trial.probes], who[trial.probes]
    first = near.argmin(axis=1)
    distances, named = near[np.arange(len(near)), first], enrolled[first]
    next_one = np.where(named[:, None] == enrolled, np.inf, near).min(axis=1)
    return TrialOutcome(
        entries=len(trial.gallery),
        tails=tails,
        distances=distances,
        margins=next_one - distances,
        right=named == identities,
        clusters=clusters[trial.probes],
        identities=identities,
    )


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
