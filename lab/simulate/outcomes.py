"""What became of the frames of a simulation, and what that comes to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.gallery import GalleryEntry

Flags = NDArray[np.bool_]

QUARTERS: Final = 4
MIN_FRAMES: Final = 10
"""So many frames must a share be of, for it to be drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Frames (n,) in time order.

    Attributes:
        reviewed: went to a person.
        right: identified by the matcher, as who it is.
        stranger: the identity was not enrolled when the frame came.
    """

    reviewed: Flags
    right: Flags
    stranger: Flags

    @property
    def identified(self) -> Flags:
        """Identified by the matcher, rightly or not."""
        return ~self.reviewed

    @property
    def wrong(self) -> Flags:
        """Identified by the matcher, as somebody else: known frames and strangers."""
        return self.identified & ~self.right


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Simulated:
    """A simulation at its end.

    It is told by no more than its name: asyncio.run takes the repr of what its task returned, and
    that of a thousand entries with their vectors takes seconds.

    Attributes:
        outcomes: of the frames.
        enrolments: the entries as they came.
        entries: as they are in the end, active and quarantined.
        seconds: how long it took.
    """

    outcomes: Outcomes
    enrolments: Collection[GalleryEntry]
    entries: Collection[GalleryEntry]
    seconds: float


def share(counted: Flags, among: Flags, least: int = 1) -> float | None:
    """Return the share of those ``counted`` among some; None where these are too few."""
    of = np.count_nonzero(among)
    return None if of < least else float(np.count_nonzero(counted & among) / of)


def by_quarter(counted: Flags, among: Flags) -> tuple[float | None, ...]:
    """Return the share in each quarter of the frames."""
    parts = zip(np.array_split(counted, QUARTERS), np.array_split(among, QUARTERS), strict=True)
    return tuple(share(own, of) for own, of in parts)


def trailing(
    counted: Flags, among: Flags, window: int, ends: Sequence[int]
) -> tuple[float | None, ...]:
    """Return the share in the ``window`` frames up to each of ``ends``, that one left out.

    None where fewer than :data:`MIN_FRAMES` frames are among those.
    """
    least = min(MIN_FRAMES, window)
    return tuple(
        share(counted[max(0, end - window) : end], among[max(0, end - window) : end], least)
        for end in ends
    )
