"""The ways to condition that a fit chooses from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from recognition.bootstrap import Interval
from recognition.half_samples import TrialScores, difference

COUNTS: Final = (1, 2, 4, 8)
"""How many clusters are tried."""


class Standard(StrEnum):
    """How embeddings are standardised within their cluster."""

    NONE = "none"
    CENTRE = "centre"  # the mean is taken out
    SCALE = "scale"  # and each dimension divided by its deviation


@dataclass(frozen=True, slots=True)
class ConditioningCandidate:
    """One way to condition.

    Attributes:
        k: clusters asked for.
        standard: how embeddings are standardised within theirs.
        scaled: whether distances are taken relative to the local scale.
        levelled: whether they are taken relative to the level of the pair of clusters.
    """

    k: int = 1
    standard: Standard = Standard.NONE
    scaled: bool = False
    levelled: bool = False

    def __str__(self) -> str:
        """Say it in a few words."""
        parts = ["one cluster" if self.k == 1 else f"{self.k} clusters"]
        parts += [f"{self.standard}d"] if self.standard is not Standard.NONE else []
        parts += ["local scale"] if self.scaled else []
        parts += ["levels"] if self.levelled else []
        return ", ".join(parts)


PLAIN: Final = ConditioningCandidate()
"""Unconditioned: the cosine distance as it comes."""


def candidates(counts: Sequence[int] = COUNTS) -> Iterator[ConditioningCandidate]:
    """Yield :data:`PLAIN`, then every candidate with a local scale, the simplest first.

    One cluster is among them whatever the ``counts`` are.
    """
    yield PLAIN
    for k, standard in product(sorted({1, *counts}), Standard):
        for levelled in (False, True) if k > 1 else (False,):
            yield ConditioningCandidate(k, standard, scaled=True, levelled=levelled)


class CandidateResult(NamedTuple):
    """The mean TPIR of a candidate, its gain over plain distances, and the gain's interval."""

    candidate: ConditioningCandidate
    tpir: float
    gain: float
    interval: Interval


Scores = Mapping[ConditioningCandidate, TrialScores]
"""The TPIR of each trial, the same trials for all, the simplest candidate first."""


def choose(scores: Scores) -> ConditioningCandidate:
    """Return the best in the mean, but a simpler one where the better is not surely better.

    Candidates are taken in their order, and one displaces the best so far if it is better by more
    than one standard error of the :func:`~recognition.half_samples.difference` (the
    one-standard-error rule of Breiman et al., *Classification and Regression Trees*, 1984).
    :data:`PLAIN` comes last, since without a local scale thresholds are kept less well; it must be
    better by two.
    """
    _, best, *others = scores
    for candidate in others:
        gain = difference(scores[candidate], scores[best])
        if gain.mean > gain.error:
            best = candidate
    gain = difference(scores[PLAIN], scores[best])
    return PLAIN if gain.mean > 2 * gain.error else best


def evaluate_candidates(scores: Scores) -> tuple[CandidateResult, ...]:
    """Return the result of each candidate, beside the first."""
    plain = next(iter(scores.values()))
    gains = ((candidate, score, difference(score, plain)) for candidate, score in scores.items())
    return tuple(
        CandidateResult(candidate, score.mean, gain.mean, gain.interval)
        for candidate, score, gain in gains
    )
