"""What is found near a probe, and what is decided by it."""

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

    Raises:
        ValueError: the distance is not finite.
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
