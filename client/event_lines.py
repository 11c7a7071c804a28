"""One event, one line: for people (:func:`line`) and for scripts (:func:`as_json`)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from rich.text import Text

from schemas.codec import frame_name
from schemas.conditioning import Activation
from schemas.dead_letter import EVENT
from schemas.errors import BadInput
from schemas.gallery import GalleryCommand, Status
from schemas.gallery_records import ErasedMark, TermClaim, read_gallery_record
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
    at = datetime.fromtimestamp(max(record.timestamp_ms, 0) / 1000, UTC).astimezone()
    text = Text(f"{at:%H:%M:%S} ", style="dim", no_wrap=True, overflow="ignore", end="\n")
    if record.value is None and _can_erase(topic):
        return text.append(f"{_key(record)} erased", style="red not dim")
    try:
        return text.append_text(_LINES[topic.name](record))
    except BadInput as error:
        return text.append(f"{record.position} {error}", style="red not dim")


def _can_erase(topic: Topic) -> bool:
    """Tell whether a null value erases there; a frame or an embedding without one is a mistake."""
    return topic.event is not None or topic is DEAD_LETTERS


def _frame(record: Record) -> Text:
    size = len(record.value or b"")
    name = frame_name(record)
    background = record.header("background") or ""
    return _plain(f"{name}, {size} bytes {background}")


def _embedding(record: Record) -> Text:
    size = len(record.value or b"") // 4
    return _plain(f"{record.header('ce_id')} {size} numbers by {record.header('model')}")


def _identification(record: Record) -> Text:
    event = Identification.read(record)
    text = _bold(event.identity, "green").append(f" {event.event_id}{_distances(event)}")
    if event.revision > 1:
        text.append(f", revision {event.revision} by a {event.decided_by}")
    return text


def _review_item(record: Record) -> Text:
    event = ReviewItem.read(record)
    text = _bold("?", "yellow").append(f" {event.event_id} {event.reason}{_distances(event)}")
    if event.candidates:
        text.append(f", nearest {event.candidates[0].identity}")
    return text


def _decision(record: Record) -> Text:
    event = ReviewDecision.read(record)
    name = "cannot tell" if event.identity is None else event.identity
    return _bold(name, "green").append(f" {event.id} says {event.actor}")


def _command(record: Record) -> Text:
    event = GalleryCommand.read(record)
    return _bold(event.action.action, "cyan").append(
        f" {event.identity} by {event.actor}: {event.reason}"
    )


def _entry(record: Record) -> Text:
    event = read_gallery_record(record)
    if isinstance(event, TermClaim):
        return _bold(f"term {event.term}", "cyan").append(f" claimed by {event.owner}")
    if isinstance(event, ErasedMark):
        return _plain(f"{event.entry_hash[:12]}… marked as erased")
    color = "green" if event.status is Status.ACTIVE else "yellow"
    return _bold(event.identity, color).append(
        f" {event.entry_id} {event.status} in {event.cluster} by {event.actor}: {event.reason}"
    )


def _conditioning(record: Record) -> Text:
    event = Activation.read(record)
    what = "off" if event.artefact is None else f"{event.version} at {event.uri}"
    return _bold(event.name, "cyan").append(f" {what} by {event.actor}")


def _dead(record: Record) -> Text:
    name = record.header(EVENT) or record.header("ce_id") or record.position
    return _bold(str(record.header("dead_reason")), "red").append(
        f" {name} in {record.header('dead_stage')}: {record.header('dead_error')}"
    )


_LINES: Mapping[str, Callable[[Record], Text]] = MappingProxyType(
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


def _plain(text: str) -> Text:
    return Text(text, style="not dim")


def _bold(text: str, color: str) -> Text:
    return Text("", style="not dim").append(text, style=f"bold {color}")
