"""CloudEvents 1.0 over Kafka for frames: binary mode (headers) and structured mode (JSON).

Only the bytes are compulsory: a missing id becomes ``topic-partition-offset``, a missing time the
record's timestamp, a missing source the key.
Source: CloudEvents Kafka protocol binding 1.0.2, section 3.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from schemas.errors import BadInput
from schemas.event import Region
from schemas.records import Headers, Record

STRUCTURED = "application/cloudevents+json"
FRAME_TYPE = "perennial.frame.v1"
MAX_REGIONS = 64

_regions = TypeAdapter(tuple[Region, ...])
_instant = TypeAdapter(datetime)


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


def read_frame(record: Record) -> Frame:
    """Read a frame in either mode.

    Raises:
        BadInput: with a reason per kind of mistake, and a message that names the value.
    """
    content_type = record.header("content-type")
    kind = "" if content_type is None else content_type.split(";")[0].strip().lower()
    if kind == STRUCTURED:
        return _structured(record)
    if not record.value:
        raise BadInput("empty_frame", "the record has no bytes; send an image as its value")
    data = _json(record.value, "value") if kind == "application/json" else record.value
    attributes = {
        name: record.header("ce_" + name) for name in ("specversion", "id", "source", "time")
    }
    background = _json(record.header("background"), "background")
    regions = _json(record.header("regions"), "regions")
    return _frame(record, attributes, background, regions, data)


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


def _structured(record: Record) -> Frame:
    envelope = _json(record.value, "value")
    if not isinstance(envelope, dict):
        raise BadInput("bad_json", "structured mode needs a JSON object")
    data: object = envelope.get("data")
    encoded = envelope.get("data_base64")
    if encoded is not None:
        try:
            data = base64.b64decode(encoded, validate=True)
        except (TypeError, ValueError) as error:
            raise BadInput("bad_base64", f"data_base64: {error}") from error
    return _frame(record, envelope, envelope.get("background"), envelope.get("regions"), data)


def _frame(
    record: Record, attributes: Mapping[str, Any], background: Any, regions: Any, data: object
) -> Frame:
    version = attributes.get("specversion")
    if version not in (None, "1.0"):
        raise BadInput("bad_specversion", f"CloudEvents specversion {version!r}; expected '1.0'")
    if not isinstance(background, dict | None):
        raise BadInput("bad_background", f"background {background!r}; expected a JSON object")
    image, image_uri = _payload(data)
    return Frame(
        id=_text(attributes, "id") or record.position,
        source=_text(attributes, "source") or _key(record),
        captured_at=_captured_at(_text(attributes, "time"), record),
        background=background if background is not None else {},
        regions=_read_regions(regions),
        image=image,
        image_uri=image_uri,
    )


def _payload(data: object) -> tuple[bytes | None, str | None]:
    if isinstance(data, bytes):
        return data, None
    uri = data.get("image_uri") if isinstance(data, dict) else None
    if not isinstance(uri, str):
        raise BadInput("no_image", "neither image bytes nor a JSON object with image_uri")
    return None, uri


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > 300):
        raise BadInput(f"bad_{name}", f"ce_{name}: expected text of at most 300 characters")
    return value


def _key(record: Record) -> str:
    return "unknown" if not record.key else record.key.decode("utf-8", errors="replace")[:300]


def _captured_at(time: str | None, record: Record) -> datetime:
    if time is None:
        return datetime.fromtimestamp(max(record.timestamp_ms, 0) / 1000, UTC)
    try:
        instant = _instant.validate_strings(time)
    except ValidationError as error:
        raise BadInput("bad_time", f"ce_time {time!r}; expected RFC 3339") from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _read_regions(regions: Any) -> tuple[Region, ...]:
    if regions is None:
        return ()
    try:
        boxes = _regions.validate_python(regions)
    except ValidationError as error:
        expected = '[{"x": .., "y": .., "width": .., "height": ..}]'
        raise BadInput("bad_regions", f"regions {regions!r}; expected {expected}") from error
    if len(boxes) > MAX_REGIONS:
        raise BadInput("bad_regions", f"{len(boxes)} regions; at most {MAX_REGIONS} a frame")
    return boxes


def _json(text: str | bytes | None, name: str) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "bad_json" if name == "value" else f"bad_{name}"
        raise BadInput(reason, f"{name} is no valid JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; leave a missing value out")
