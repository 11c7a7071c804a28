"""CloudEvents 1.0 over Kafka for frames: binary mode (headers) and structured mode (JSON).

Only the bytes are compulsory: a missing id becomes ``topic-partition-offset``, a missing time the
record's timestamp, a missing source the key. Id and source together make the event name.
Source: CloudEvents Kafka protocol binding 1.0.2, section 3.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from reprlib import repr as short
from typing import Any

from schemas.errors import BadInput
from schemas.event import Region, event_name
from schemas.frame_parts import (
    header_background,
    header_regions,
    read_background,
    read_regions,
)
from schemas.instants import instant_at, read_instant
from schemas.json_text import is_text, read_json
from schemas.limits import STANDARD, FrameLimits
from schemas.records import Headers, Record

STRUCTURED = "application/cloudevents+json"
FRAME_TYPE = "perennial.frame.v1"
MAX_ID = 280  # an id has to hold a position: a topic's 249 characters and two numbers
MAX_TEXT = 300

_NO_SOURCE = "unknown"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as published: the image itself, or where it lies."""

    id: str
    source: str
    captured_at: datetime
    background: Mapping[str, Any]
    regions: tuple[Region, ...]
    image: bytes | None
    image_uri: str | None

    def name(self, region: int | None = None) -> str:
        """Return the event name of the frame, or of its region of that number."""
        return event_name(self.source, self.id, region)


def read_frame(record: Record, limits: FrameLimits = STANDARD) -> Frame:
    """Read a frame in either mode. Sizes and counts are checked before anything is read.

    Raises:
        BadInput: with a reason per kind of mistake, and a message that names the value.
    """
    kind = _content_type(record)
    attributes = _attributes(record)
    if kind == STRUCTURED:
        return _structured(record, attributes, limits)
    data: object = record.value or b""
    if kind == "application/json" and data:
        data = _json(record.value)
    background = header_background(record, limits.background_bytes)
    regions = header_regions(record, limits.regions)
    return _frame(record, attributes, background, regions, data, limits)


def frame_name(record: Record) -> str:
    """Return the event name of a frame that may be unreadable otherwise.

    Where its id or its source cannot be read either, its position names it.
    """
    try:
        attributes = _attributes(record)
        return event_name(_source(attributes, record), _id(attributes, record))
    except BadInput:
        return event_name(_NO_SOURCE, record.position)


def frame_headers(
    event_id: str,
    source: str,
    captured_at: datetime | None,
    background: Mapping[str, Any],
    content_type: str,
) -> Headers:
    """Return the binary-mode headers of a frame, as a publisher sends them."""
    time = () if captured_at is None else (("ce_time", captured_at.isoformat().encode()),)
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", FRAME_TYPE.encode()),
        *time,
        ("content-type", content_type.encode()),
        ("background", json.dumps(background, allow_nan=False).encode()),
    )


def _content_type(record: Record) -> str:
    content_type = record.header("content-type")
    return "" if content_type is None else content_type.split(";")[0].strip().lower()


def _attributes(record: Record) -> Mapping[str, Any]:
    """Return the CloudEvents attributes: of the envelope, or as bytes of the headers."""
    if _content_type(record) != STRUCTURED:
        named = ("id", "source", "time")
        return {
            "specversion": record.header("ce_specversion"),
            **{name: record.header_bytes("ce_" + name) for name in named},
        }
    envelope = _json(record.value)
    if not isinstance(envelope, dict):
        raise BadInput("bad_json", "structured mode needs a JSON object")
    return envelope


def _structured(record: Record, envelope: Mapping[str, Any], limits: FrameLimits) -> Frame:
    data: object = envelope.get("data")
    encoded = envelope.get("data_base64")
    if encoded is not None:
        try:
            data = base64.b64decode(encoded, validate=True)
        except (TypeError, ValueError) as error:
            raise BadInput("bad_base64", f"data_base64: {error}") from error
    background, regions = envelope.get("background"), envelope.get("regions")
    return _frame(record, envelope, background, regions, data, limits)


def _frame(
    record: Record,
    attributes: Mapping[str, Any],
    background: Any,
    regions: Any,
    data: object,
    limits: FrameLimits,
) -> Frame:
    version = attributes.get("specversion")
    if version not in (None, "1.0"):
        raise BadInput(
            "bad_specversion", f"CloudEvents specversion {short(version)}; expected '1.0'"
        )
    image, image_uri = _payload(data)
    return Frame(
        id=_id(attributes, record),
        source=_source(attributes, record),
        captured_at=_captured_at(_text(attributes, "time", MAX_TEXT), record),
        background=read_background(background, limits.background_bytes),
        regions=read_regions(regions, limits.regions),
        image=image,
        image_uri=image_uri,
    )


def _payload(data: object) -> tuple[bytes | None, str | None]:
    if isinstance(data, bytes):
        if not data:
            raise BadInput("empty_frame", "the record has no bytes; send an image as its value")
        return data, None
    uri = data.get("image_uri") if isinstance(data, dict) else None
    if not isinstance(uri, str) or not is_text(uri):
        raise BadInput("no_image", "neither image bytes nor a JSON object with image_uri")
    return None, uri


def _text(attributes: Mapping[str, Any], name: str, most: int) -> str | None:
    given = attributes.get(name)
    if given is None:
        return None
    value = _decoded(given) if isinstance(given, bytes) else given
    if isinstance(value, str) and len(value) <= most and is_text(value):
        return value
    expected = f"expected UTF-8 text of at most {most} characters"
    raise BadInput(f"bad_{name}", f"ce_{name} {short(given)}; {expected}")


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _id(attributes: Mapping[str, Any], record: Record) -> str:
    return _text(attributes, "id", MAX_ID) or record.position


def _source(attributes: Mapping[str, Any], record: Record) -> str:
    """Return the source, else the key: never a part of it, which others could share."""
    source = _text(attributes, "source", MAX_TEXT)
    if source:
        return source
    key = _decoded(record.key or b"")
    if key is None or len(key) > MAX_TEXT:
        expected = f"expected UTF-8 text of at most {MAX_TEXT} characters, or a ce_source"
        raise BadInput("bad_source", f"key {short(record.key)}; {expected}")
    return key or _NO_SOURCE


def _captured_at(time: str | None, record: Record) -> datetime:
    try:
        return instant_at(record.timestamp_ms) if time is None else read_instant(time)
    except ValueError as error:
        spelled = f"timestamp {record.timestamp_ms}" if time is None else f"ce_time {time!r}"
        raise BadInput("bad_time", f"{spelled}; expected RFC 3339 in years 1 to 9999") from error


def _json(value: bytes | None) -> Any:
    try:
        return None if value is None else read_json(value)
    except ValueError as error:
        raise BadInput("bad_json", f"value is no valid JSON: {error}") from error
