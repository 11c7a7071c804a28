"""Outcomes as the account needs them: which record they answer, and what they say of it."""

from dataclasses import dataclass

from client.follow import Outcome
from schemas.recognition_event import Identification, RecognitionEvent, ReviewItem


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
    said: str
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
        said=_said(outcome),
        identity=event.identity if isinstance(event, Identification) else None,
        nearest=None if event is None else _nearest(event),
        gallery_position=-1 if event is None else event.gallery_position,
        at_ms=outcome.record.timestamp_ms,
    )


def _origin(outcome: Outcome) -> str:
    header = outcome.record.header
    return f"{header('dead_topic')}-{header('dead_partition')}-{header('dead_offset')}"


def _said(outcome: Outcome) -> str:
    event = outcome.event
    if isinstance(event, ReviewItem):
        return str(event.reason)
    if isinstance(event, Identification):
        return event.identity
    error = f"{outcome.record.header('dead_reason')}: {outcome.record.header('dead_error')}"
    return error[:200] if outcome.kind == "dead" else "cannot be read"


def _nearest(event: RecognitionEvent) -> float | None:
    return min((candidate.distance for candidate in event.candidates), default=None)
