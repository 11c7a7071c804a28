"""What is found near a probe, what is decided by it, and whether the gallery takes it in."""

import math
from dataclasses import dataclass
from enum import StrEnum

MAX_CANDIDATES = 5
"""How many candidates a decision names."""


class Verdict(StrEnum):
    """Whether the probe shows an identity of the gallery."""

    KNOWN = "known"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why the verdict is what it is; only the first one means known."""

    WITHIN_THRESHOLD = "within_threshold"
    BEYOND_THRESHOLD = "beyond_threshold"
    GALLERY_EMPTY = "gallery_empty"
    GALLERY_TOO_SMALL = "gallery_too_small"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A gallery entry near the probe.

    ``scale`` is the local scale at the entry, 1 where there is no conditioning.
    """

    entry_id: str
    identity: str
    distance: float
    cluster: str
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.distance):
            raise ValueError(f"entry {self.entry_id!r} has no finite distance: {self.distance}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An identity among the neighbours: its nearest entry and the votes of all its entries."""

    identity: str
    distance: float
    votes: float
    entry_id: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict with everything it rests on.

    ``distance`` is that of the first candidate: the identity where known, else the nearest one.
    ``margin`` is how much farther the nearest entry of any *other* identity lies; it is negative
    where the votes overruled the nearest entry, and None where there is no other identity.
    """

    verdict: Verdict
    identity: str | None
    distance: float | None
    threshold: float | None
    margin: float | None
    candidates: tuple[Candidate, ...]
    reason: Reason


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
