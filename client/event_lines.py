"""One event, one line: for people (:func:`line`) and for scripts (:func:`as_json`)."""

from typing import Any

from rich.text import Text

from schemas.codec import frame_name
from schemas.conditioning import Activation
from schemas.dead_letter import EVENT
from schemas.errors import BadInput
from schemas.event import Event
from schemas.gallery import (
    ErasedMark,
    GalleryCommand,
    GalleryEntry,
    Status,
    TermClaim,
    read_gallery_record,
)
from schemas.instants import instant_at
from schemas.recognition_event import Identification, RecognitionEvent, ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.topics import DEAD_LETTERS, EMBEDDINGS, FRAMES, GALLERY, Topic
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
    try:
        event = _read(topic, record)
    except BadInput as error:
        return {"position": record.position, "error": str(error)}
    if event is not None:
        return event.model_dump(mode="json")
    headers = {name: record.header(name) for name, _ in record.headers}
    return {"key": _key(record), "headers": headers, "bytes": len(record.value or b"")}


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
        event = _read(topic, record)
    except BadInput as error:
        return ((f"{record.position} {error}", "red"),)
    return _of_bytes(topic, record) if event is None else _of_event(event)


def _can_erase(topic: Topic) -> bool:
    """Tell whether a null value erases there; a frame or an embedding without one is a mistake."""
    return topic.event is not None or topic is DEAD_LETTERS


def _read(topic: Topic, record: Record) -> Event | None:
    """Return the event; None of a topic whose values are no JSON."""
    if topic is GALLERY:
        return read_gallery_record(record)
    return None if topic.event is None else topic.event.read(record)


def _of_bytes(topic: Topic, record: Record) -> Parts:
    size, name = len(record.value or b""), record.header("ce_id")
    if topic is FRAMES:
        background = record.header("background") or ""
        return _plain(f"{frame_name(record)}, {size} bytes {background}")
    if topic is EMBEDDINGS:
        return _plain(f"{name} {size // 4} numbers by {record.header('model')}")
    name = record.header(EVENT) or name or record.position
    rest = f" {name} in {record.header('dead_stage')}: {record.header('dead_error')}"
    return _headed(str(record.header("dead_reason")), "red", rest)


def _of_event(event: Event) -> Parts:
    match event:
        case Identification():
            by = f", revision {event.revision} by a {event.decided_by}"
            rest = f" {event.event_id}{_distances(event)}{by if event.revision > 1 else ''}"
            return _headed(event.identity, "green", rest)
        case ReviewItem():
            nearest = f", nearest {event.candidates[0].identity}" if event.candidates else ""
            rest = f" {event.event_id} {event.reason}{_distances(event)}{nearest}"
            return _headed("?", "yellow", rest)
        case ReviewDecision():
            name = "cannot tell" if event.identity is None else event.identity
            return _headed(name, "green", f" {event.id} says {event.actor}")
        case GalleryCommand():
            rest = f" {event.identity} by {event.actor}: {event.reason}"
            return _headed(event.action.action, "cyan", rest)
        case GalleryEntry():
            color = "green" if event.status is Status.ACTIVE else "yellow"
            rest = f" {event.entry_id} {event.status} in {event.cluster} by {event.actor}: "
            return _headed(event.identity, color, rest + event.reason)
        case TermClaim():
            return _headed(f"term {event.term}", "cyan", f" claimed by {event.owner}")
        case ErasedMark():
            return _plain(f"{event.entry_hash[:12]}… marked as erased")
        case Activation():
            what = "off" if event.artefact is None else f"{event.version} at {event.uri}"
            return _headed(event.name, "cyan", f" {what} by {event.actor}")
    raise TypeError(f"no line is known for a {type(event).__name__}")


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
