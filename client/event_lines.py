"""One event, one line: for people (:func:`line`) and for scripts (:func:`as_json`)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rich.text import Text

from schemas.codec import frame_name
from schemas.conditioning import Activation
from schemas.dead_letter import EVENT
from schemas.errors import BadInput
from schemas.gallery import GalleryCommand, Status
from schemas.gallery_records import ErasedMark, TermClaim, read_gallery_record
from schemas.instants import instant_at
from schemas.recognition_event import Identification, RecognitionEvent, ReviewItem
from schemas.records import Record
from schemas.review import ReviewDecision
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
    Topic,
)
from schemas.visible import visible

Parts = tuple[tuple[str, str], ...]
"""What a line says, piece by piece, each with its style."""


def as_json(topic: Topic, record: Record) -> dict[str, Any]:
    """Return the event itself, or for values that are no JSON the headers and the size.

    A tombstone is ``{"key": ..., "erased": true}``; what this version cannot read,
    ``{"position": ..., "error": ...}``.
    """
    if record.value is None and _can_erase(topic):
        return {"key": _key(record), "erased": True}
    if topic.event is None:
        headers = {name: record.header(name) for name, _ in record.headers}
        return {"key": _key(record), "headers": headers, "bytes": len(record.value or b"")}
    try:
        read = read_gallery_record if topic is GALLERY else topic.event.read
        return read(record).model_dump(mode="json")
    except BadInput as error:
        return {"position": record.position, "error": str(error)}


def line(topic: Topic, record: Record) -> Text:
    """Return the event as one line of text."""
    text = Text(f"{_clock(record)} ", style="dim", no_wrap=True, overflow="ignore", end="\n")
    for part, style in _parts(topic, record):
        text.append(visible(part), style=f"{style} not dim")
    return text


def _clock(record: Record) -> str:
    """Return when it was written, in local time; a timestamp can lie beyond the calendar."""
    try:
        return f"{instant_at(record.timestamp_ms).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError):
        return "--:--:--"


def _parts(topic: Topic, record: Record) -> Parts:
    if record.value is None and _can_erase(topic):
        return ((f"{_key(record)} erased", "red"),)
    try:
        return _LINES[topic.name](record)
    except BadInput as error:
        return ((f"{record.position} {error}", "red"),)


def _can_erase(topic: Topic) -> bool:
    """Tell whether a null value erases there; a frame or an embedding without one is a mistake."""
    return topic.event is not None or topic is DEAD_LETTERS


def _frame(record: Record) -> Parts:
    size = len(record.value or b"")
    name = frame_name(record)
    background = record.header("background") or ""
    return _plain(f"{name}, {size} bytes {background}")


def _embedding(record: Record) -> Parts:
    size = len(record.value or b"") // 4
    return _plain(f"{record.header('ce_id')} {size} numbers by {record.header('model')}")


def _identification(record: Record) -> Parts:
    event = Identification.read(record)
    by = f", revision {event.revision} by a {event.decided_by}" if event.revision > 1 else ""
    return _headed(event.identity, "green", f" {event.event_id}{_distances(event)}{by}")


def _review_item(record: Record) -> Parts:
    event = ReviewItem.read(record)
    nearest = f", nearest {event.candidates[0].identity}" if event.candidates else ""
    rest = f" {event.event_id} {event.reason}{_distances(event)}{nearest}"
    return _headed("?", "yellow", rest)


def _decision(record: Record) -> Parts:
    event = ReviewDecision.read(record)
    name = "cannot tell" if event.identity is None else event.identity
    return _headed(name, "green", f" {event.id} says {event.actor}")


def _command(record: Record) -> Parts:
    event = GalleryCommand.read(record)
    rest = f" {event.identity} by {event.actor}: {event.reason}"
    return _headed(event.action.action, "cyan", rest)


def _entry(record: Record) -> Parts:
    event = read_gallery_record(record)
    if isinstance(event, TermClaim):
        return _headed(f"term {event.term}", "cyan", f" claimed by {event.owner}")
    if isinstance(event, ErasedMark):
        return _plain(f"{event.entry_hash[:12]}… marked as erased")
    color = "green" if event.status is Status.ACTIVE else "yellow"
    rest = f" {event.entry_id} {event.status} in {event.cluster} by {event.actor}: {event.reason}"
    return _headed(event.identity, color, rest)


def _conditioning(record: Record) -> Parts:
    event = Activation.read(record)
    what = "off" if event.artefact is None else f"{event.version} at {event.uri}"
    return _headed(event.name, "cyan", f" {what} by {event.actor}")


def _dead(record: Record) -> Parts:
    name = record.header(EVENT) or record.header("ce_id") or record.position
    rest = f" {name} in {record.header('dead_stage')}: {record.header('dead_error')}"
    return _headed(str(record.header("dead_reason")), "red", rest)


_LINES: Mapping[str, Callable[[Record], Parts]] = MappingProxyType(
    {
        FRAMES.name: _frame,
        EMBEDDINGS.name: _embedding,
        IDENTIFICATIONS.name: _identification,
        HUMAN_REVIEW.name: _review_item,
        REVIEW_DECISIONS.name: _decision,
        GALLERY_COMMANDS.name: _command,
        GALLERY.name: _entry,
        CONDITIONING.name: _conditioning,
        DEAD_LETTERS.name: _dead,
    }
)


def _distances(event: RecognitionEvent) -> str:
    if event.distance is None:
        return ""
    threshold = "" if event.threshold is None else f" of {event.threshold:.3f}"
    return f" at {event.distance:.3f}{threshold}"


def _key(record: Record) -> str:
    return "" if record.key is None else record.key.decode("utf-8", errors="replace")


def _plain(text: str) -> Parts:
    return ((text, ""),)


def _headed(head: str, color: str, rest: str) -> Parts:
    return ((head, f"bold {color}"), (rest, ""))
