"""Follows frames to their outcomes as an outsider could, and counts what became of them."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np

from client.reader import Reader, reader
from schemas.dead_letter import EVENT
from schemas.errors import BadInput
from schemas.event import frame_of
from schemas.recognition_event import DecidedBy, Identification, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, HUMAN_REVIEW, IDENTIFICATIONS

OutcomeKind = Literal["identified", "review", "dead"]
E = TypeVar("E", Identification, ReviewItem)

_POLL_MS = 10
END_TO_END = "end_to_end"
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one frame, or one region of it, ended.

    Attributes:
        frame: the event name of the frame.
        event_id: the same, or ``<frame>#<n>`` for its region n.
        event: ``None`` for dead letters, and for events that this version cannot read.
        received_at: seconds since the epoch.
    """

    frame: str
    event_id: str
    kind: OutcomeKind
    event: Identification | ReviewItem | None
    record: Record
    received_at: float


class Follower:
    """Sees every outcome from the moment it is entered: ``async with Follower(settings) as f``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._reader: Reader | None = None

    async def __aenter__(self) -> Self:
        topics = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
        self._reader = await self._stack.enter_async_context(
            reader(self._settings, *topics, from_beginning=False, poll_ms=_POLL_MS)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def batch(self, wait_s: float) -> list[Outcome]:
        """Return the outcomes that came; none when nothing came for ``wait_s`` seconds.

        A person's answer is no new outcome of its frame.
        """
        if self._reader is None:
            raise RuntimeError(
                "enter the follower first: async with Follower(settings) as follower"
            )
        records = await self._reader.batch(wait_s)
        received_at = time.time()
        # A null value erases what was said before.
        outcomes = (self._outcome(r, received_at) for r in records if r.value is not None)
        return [
            o for o in outcomes if o.event is None or o.event.decided_by is not DecidedBy.PERSON
        ]

    async def outcomes(self) -> AsyncIterator[Outcome]:
        """Yield outcomes for ever."""
        while True:
            for outcome in await self.batch(1.0):
                yield outcome

    def _outcome(self, record: Record, received_at: float) -> Outcome:
        kind: OutcomeKind = "dead"
        event: Identification | ReviewItem | None = None
        if record.topic == self._settings.topic(IDENTIFICATIONS):
            kind, event = "identified", _read(Identification, record)
        elif record.topic == self._settings.topic(HUMAN_REVIEW):
            kind, event = "review", _read(ReviewItem, record)
        event_id = record.header(EVENT) or record.header("ce_id") or record.position
        return Outcome(frame_of(event_id), event_id, kind, event, record, received_at)


def _read(kind: type[E], record: Record) -> E | None:
    try:
        return kind.read(record)
    except BadInput:
        return None


@dataclass(frozen=True, slots=True)
class Latency:
    """Median and 95th percentile, in milliseconds."""

    p50: float
    p95: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> "Latency":
        """Return those of ``values_ms``, which must not be empty."""
        p50, p95 = np.percentile(np.asarray(values_ms, dtype=np.float64), [50, 95])
        return cls(round(float(p50), 2), round(float(p95), 2))


class Tally:
    """Counts frames by their first outcome; outcomes of frames it was not told of are ignored."""

    def __init__(self) -> None:
        self._published: dict[str, float] = {}
        self._kinds: dict[str, OutcomeKind] = {}
        self._latencies: dict[str, list[float]] = {}
        self._dead_reasons: Counter[str] = Counter()
        self.last_change = time.monotonic()

    def published(self, frame: str, at: float | None = None) -> None:
        """Note that a frame, by its event name, was sent ``at`` seconds since the epoch (now)."""
        self._published.setdefault(frame, time.time() if at is None else at)
        self.last_change = time.monotonic()

    def outcome(self, outcome: Outcome) -> bool:
        """Note an outcome; tell whether it was the first of a frame of ours."""
        published = self._published.get(outcome.frame)
        if published is None or outcome.frame in self._kinds:
            return False
        self._kinds[outcome.frame] = outcome.kind
        self._took(END_TO_END, (outcome.received_at - published) * 1000)
        if outcome.event is not None:
            for stage, value in _durations(outcome.event.timings_ms).items():
                self._took(stage, value)
        if outcome.kind == "dead":
            self._dead_reasons[outcome.record.header("dead_reason") or "unknown"] += 1
        self.last_change = time.monotonic()
        return True

    @property
    def counts(self) -> dict[str, int]:
        """Frames published, identified, in review, dead, and lost: without any outcome so far."""
        kinds = Counter(self._kinds.values())
        return {
            "published": len(self._published),
            "identified": kinds["identified"],
            "review": kinds["review"],
            "dead": kinds["dead"],
            "lost": self.pending,
        }

    @property
    def pending(self) -> int:
        """How many frames have no outcome yet; when nobody waits any longer they are lost."""
        return len(self._published) - len(self._kinds)

    @property
    def lost(self) -> list[str]:
        """The event names of the frames without an outcome."""
        return [frame for frame in self._published if frame not in self._kinds]

    @property
    def latencies(self) -> dict[str, Latency]:
        """Latency end to end (from publishing to reading the outcome), then of each stage."""
        return {stage: Latency.of(values) for stage, values in self._latencies.items()}

    @property
    def dead_reasons(self) -> Counter[str]:
        """How many frames are dead, by reason."""
        return Counter(self._dead_reasons)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            **self.counts,
            "latency_ms": {
                stage: {"p50": took.p50, "p95": took.p95} for stage, took in self.latencies.items()
            },
            "dead_reasons": dict(self._dead_reasons),
            "lost_ids": self.lost[:_NAMED],
        }

    def __str__(self) -> str:
        """``published N · identified n · review m · dead k · lost 0``."""
        return " · ".join(f"{name} {count}" for name, count in self.counts.items())

    def _took(self, stage: str, value_ms: float) -> None:
        self._latencies.setdefault(stage, []).append(value_ms)


def _durations(timings_ms: Mapping[str, float]) -> dict[str, float]:
    # published_at, sent_at and the like are instants.
    return {stage: value for stage, value in timings_ms.items() if not stage.endswith("_at")}
