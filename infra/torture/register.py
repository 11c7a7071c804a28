"""Everything that was sent, every outcome that came of it, and whether that can be true."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from client.follow import Outcome
from infra.torture.history import History
from infra.torture.stalls import Stay
from infra.torture.traffic import Outbound
from schemas.event import event_name
from schemas.recognition_event import Identification, ReviewItem

SAME_PICTURE = 0.0005
"""Largest distance between two embeddings of one picture; two pictures differ by more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome without its vector and bytes, since an hour has many.

    Attributes:
        kind: identified, review or dead.
        name: of the frame; a dead letter of a record without a name has its own position.
        origin: the position of the record that a dead letter is about.
        nearest: distance of the nearest candidate.
        gallery_position: offset of the newest gallery change that the matcher counted on.
        at_ms: when the record was made, by its own timestamp.
    """

    kind: str
    name: str
    origin: str | None
    summary: str
    identity: str | None
    nearest: float | None
    gallery_position: int
    at_ms: int


def seen(outcome: Outcome) -> Seen:
    """Return the outcome in short."""
    event = outcome.event
    dead = outcome.kind == "dead"
    return Seen(
        kind=outcome.kind,
        name=outcome.frame,
        origin=_origin(outcome) if dead else None,
        summary=_summary(outcome),
        identity=event.identity if isinstance(event, Identification) else None,
        nearest=min((c.distance for c in event.candidates), default=None) if event else None,
        gallery_position=-1 if event is None else event.gallery_position,
        at_ms=outcome.record.timestamp_ms,
    )


def _origin(outcome: Outcome) -> str:
    header = outcome.record.header
    return f"{header('dead_topic')}-{header('dead_partition')}-{header('dead_offset')}"


def _summary(outcome: Outcome) -> str:
    event = outcome.event
    if isinstance(event, ReviewItem):
        return str(event.reason)
    if isinstance(event, Identification):
        return event.identity
    error = f"{outcome.record.header('dead_reason')}: {outcome.record.header('dead_error')}"
    return error[:200] if outcome.kind == "dead" else "cannot be read"


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


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found.

    Attributes:
        lost: records that the broker acknowledged and that have no outcome.
        wrong: outcomes that cannot be true, with the reason.
        certain: outcomes of which the gallery of their moment says what had to be found.
    """

    lost: list[str]
    wrong: list[str]
    certain: int


def judge(register: Register, history: History) -> Judged:
    """Hold every outcome against what was sent, and against the gallery as it was.

    A good frame must not end as a dead letter, a bad one must. An identity must have been held by
    a matched entry between the gallery position that the outcome names and its own time. Where the
    very picture of the frame was held all that time, it must have been found.
    """
    judged = Judged([], [], 0)
    certain = 0
    same = _by_picture(register, history)
    for parcel in register.parcels.values():
        ends = register.ends(parcel.token)
        if not ends:
            judged.lost.append(_about(parcel))
        if parcel.outbound.flaw is not None:
            judged.wrong.extend(_not_dead(parcel, register))
            continue
        for end in ends:
            twins = same[parcel.outbound.shows]
            wrong, was_certain = _good(end, twins, history)
            certain += was_certain
            judged.wrong.extend(f"{_about(parcel)}: {why}" for why in wrong)
    return Judged(judged.lost, judged.wrong, certain)


def _not_dead(parcel: Parcel, register: Register) -> list[str]:
    name = parcel.outbound.name
    ends = [] if name is None else register.ends(name)
    return [f"{_about(parcel)}: {end.kind} as {end.summary}" for end in ends if end.kind != "dead"]


def _good(end: Seen, twins: list[str], history: History) -> tuple[list[str], bool]:
    if end.kind == "dead":
        return [f"a good frame is a dead letter: {end.summary}"], False
    first = end.gallery_position
    last = max(first, history.newest_at(end.at_ms))
    wrong = []
    if end.identity is not None and not history.was_active(end.identity, first, last):
        wrong.append(f"identified as {end.identity}, which nobody held at {first} to {last}")
    must = [entry_id for entry_id in twins if history.stayed_active(entry_id, first, last)]
    if must and (end.nearest is None or end.nearest > SAME_PICTURE):
        wrong.append(
            f"{must[0]} shows the same picture and was held at {first} to {last}, "
            f"but the nearest was at {end.nearest} ({end.kind}: {end.summary})"
        )
    return wrong, bool(must)


def _by_picture(
    register: Register, history: History
) -> defaultdict[tuple[int, int] | None, list[str]]:
    same: defaultdict[tuple[int, int] | None, list[str]] = defaultdict(list)
    for entry_id in history.ever:
        parcel = register.parcels.get(entry_id)
        if parcel is not None and parcel.outbound.shows is not None:
            same[parcel.outbound.shows].append(entry_id)
    return same


def _about(parcel: Parcel) -> str:
    flaw = "" if parcel.outbound.flaw is None else f" ({parcel.outbound.flaw})"
    return f"{parcel.token}{flaw}"
