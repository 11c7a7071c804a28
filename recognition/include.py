"""Which identified embeddings the gallery takes in without a person."""

from dataclasses import dataclass
from enum import StrEnum

from recognition.decision import Decision, Verdict


class Inclusion(StrEnum):
    """Whether an embedding is included, and if not, why; only the first one means yes."""

    INCLUDED = "included"
    UNKNOWN = "unknown"
    UNSURE = "unsure"
    CONTESTED = "contested"
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class InclusionRule:
    """How sure and how new; both are shares of the threshold.

    Attributes:
        surer: the largest distance to the identity's nearest entry.
        new: the distance up to which the embedding repeats that entry: a near-duplicate.

    Raises:
        ValueError: not 0 < new < surer <= 1.
    """

    surer: float = 0.8
    new: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.new < self.surer <= 1:
            raise ValueError(f"expected 0 < new < surer <= 1, got {self.new} and {self.surer}")


def include(decision: Decision, rule: InclusionRule) -> Inclusion:
    """Say whether the identified embedding belongs in the gallery.

    A wrong entry answers for its own mistakes ever after, so the embedding must be surer than what
    is needed to identify it. How many entries an identity keeps is the business of retention.
    """
    distance, threshold = decision.distance, decision.threshold
    if decision.verdict is Verdict.UNKNOWN or distance is None or threshold is None:
        return Inclusion.UNKNOWN
    if distance > rule.surer * threshold:
        return Inclusion.UNSURE
    if contested(decision):
        return Inclusion.CONTESTED
    if distance <= rule.new * threshold:
        return Inclusion.NOTHING_NEW
    return Inclusion.INCLUDED


def contested(decision: Decision) -> bool:
    """Whether a second identity has an entry within the threshold too."""
    return len(decision.candidates) > 1 and decision.candidates[1].votes > 0
