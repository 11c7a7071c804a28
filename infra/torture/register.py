"""Everything that was sent, and every outcome that came of it."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from infra.torture.outcomes import Seen
from infra.torture.stalls import Stay
from infra.torture.traffic import Outbound
from schemas.event import event_name


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record that the broker has acknowledged.

    Attributes:
        token: what its outcomes are known by: the name of a good frame, else its position.
        lane: topic and partition, as text.
        sent_at: when it was acknowledged first, in seconds.
    """

    outbound: Outbound
    token: str
    lane: str
    sent_at: float


class Register:
    """Told by the sender and by the follower, in any order."""

    def __init__(self) -> None:
        self.parcels: dict[str, Parcel] = {}
        self.repeats = 0
        self.outcomes: dict[str, int] = defaultdict(int)
        self.waiting: set[str] = set()
        self.last_heard = 0.0
        self._ends: defaultdict[str, list[Seen]] = defaultdict(list)
        self._first_end: dict[str, float] = {}

    def sent(self, outbound: Outbound, position: str, at: float) -> None:
        """Note that the broker has a record at this position (topic-partition-offset)."""
        token = _token(outbound, position)
        if token in self.parcels:
            self.repeats += 1
            return
        lane = position.rpartition("-")[0]
        self.parcels[token] = Parcel(outbound, token, lane, at)
        if token not in self._ends:
            self.waiting.add(token)

    def heard(self, outcome: Seen, at: float) -> None:
        """Note an outcome."""
        self.last_heard = at
        self.outcomes[outcome.kind] += 1
        for token in {outcome.name, outcome.origin or outcome.name}:
            self._ends[token].append(outcome)
            self._first_end.setdefault(token, at)
            self.waiting.discard(token)

    def ends(self, token: str) -> list[Seen]:
        """Return the outcomes that are known by a token."""
        return self._ends.get(token, [])

    def stays(self) -> Iterator[Stay]:
        """Yield from when to when each record was on its way."""
        for parcel in self.parcels.values():
            ended_at = max(parcel.sent_at, self._first_end.get(parcel.token, math.inf))
            yield Stay(parcel.lane, parcel.sent_at, ended_at)


def _token(outbound: Outbound, position: str) -> str:
    if outbound.flaw is not None:
        return position
    return outbound.name or event_name(outbound.source, position)
