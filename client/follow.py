"""Follows frames to their outcomes as an outsider could: by reading the topics they end on."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

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
