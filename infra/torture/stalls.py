"""How long anything stood still while work waited, told from when frames came and ended."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stay:
    """One frame on its way.

    Attributes:
        lane: its topic and partition.
        sent_at: when the broker had it, in seconds.
        ended_at: when its first outcome was there; infinite for one that has none.
    """

    lane: str
    sent_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Standstill:
    """A time without any outcome on a partition, while frames of it waited."""

    lane: str
    from_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Suffered:
    """A fault from its beginning until it was undone, in seconds since the epoch."""

    what: str
    from_s: float
    until_s: float


def under_way(stall: Standstill, faults: Iterable[Suffered]) -> list[str]:
    """Return the faults that a stall shares a second or more with, and how long, in words."""
    until = stall.from_s + stall.for_s
    return [
        f"{fault.what} ({shared:.0f} s of it)"
        for fault in faults
        if (shared := min(until, fault.until_s) - max(stall.from_s, fault.from_s)) >= 1
    ]


def longest_stall(stays: Iterable[Stay]) -> Standstill | None:
    """Return the longest one, over the partitions; None where nothing was sent."""
    lanes: defaultdict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        lanes[stay.lane].append(stay)
    stalls = [_of_lane(lane, members) for lane, members in lanes.items()]
    return max(stalls, key=lambda stall: stall.for_s, default=None)


def _of_lane(lane: str, stays: Iterable[Stay]) -> Standstill:
    """Walk through comings and endings in order of time.

    It stands still from the last ending, or from when the first frame came after nothing waited.
    """
    steps = sorted(
        [(s.sent_at, 0) for s in stays] + [(s.ended_at, 1) for s in stays if s.ended_at < math.inf]
    )
    waiting, since, worst = 0, 0.0, Standstill(lane, 0.0, 0.0)
    for at, ended in steps:
        if ended:
            if at - since > worst.for_s:
                worst = Standstill(lane, since, at - since)
            waiting, since = waiting - 1, at
        else:
            since = at if waiting <= 0 else since
            waiting += 1
    return worst
