"""Each event as a JSON Schema, and each topic's messages as AsyncAPI has them."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.codec import FRAME_TYPE, MAX_ID, MAX_TEXT, STRUCTURED, frame_headers
from schemas.dead_letter import PREFIX, dead_letter
from schemas.embedding import TYPE as EMBEDDING_TYPE
from schemas.embedding import Embedding
from schemas.errors import BadInput
from schemas.event import Event, FramePosition, Region
from schemas.quality import Quality
from schemas.records import Headers, Record
from schemas.topics import (
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
    TOPICS,
    Topic,
)

Message = dict[str, Any]

_HEADERS = {
    "ce_specversion": "Version of CloudEvents, 1.0",
    "ce_id": "Id of the event: what the publisher of a frame gave it, else topic-partition-offset; "
    "from there on the event name",
    "ce_source": "Who sent it: the camera of a frame",
    "ce_type": "CloudEvents type, with the version at its end",
    "ce_time": "RFC 3339; when a frame was captured, when another event was written",
    "content-type": "Media type of the value",
    "background": "JSON object: background variables, text, numbers or booleans",
    "regions": 'JSON list of boxes in pixels, {"x": 0, "y": 0, "width": 9, "height": 9}: one '
    "embedding per box, event names <name>#0, <name>#1 and so on",
    "region": "JSON object: the box in pixels that was embedded",
    "frame": "JSON object: partition and offset of the frame on the frames topic",
    "model": "name@hash of the model that made the vector",
    "quality": "JSON object: sharpness, size, dark, bright and overall, as in an identification; "
    "absent where it was not measured",
    "timings": "JSON object: milliseconds per stage; names that end in _at are instants",
    "dead_key": "Key of the record, as it was; absent where it had none",
    "dead_event": "Event name of the frame: <source>/<id>, each percent-encoded",
    "dead_null_value": "`true` where the record had no value, not even an empty one",
    "dead_topic": "Topic that the record lay on",
    "dead_partition": "Partition that the record lay in",
    "dead_offset": "Offset of the record",
    "dead_stage": "Stage that could not use it",
    "dead_reason": "Short stable slug, for filters",
    "dead_error": "What is wrong, and what would have been accepted",
    "dead_attempts": "How often it was tried",
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ANYONE_MAY_SEND = (REVIEW_DECISIONS, GALLERY_COMMANDS)


class _PlainSchema(GenerateJsonSchema):
    """JSON Schema alone, without OpenAPI's additions, and exact about what we always write."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Leave out OpenAPI's ``discriminator``, which AsyncAPI reads as something else."""
        plain = super().tagged_union_schema(schema)
        plain.pop("discriminator", None)
        return plain

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Require every field of what we write: a default is written out, too."""
        return self.mode == "serialization" or super().field_is_required(field, total)


def schema_file(event: type[Event]) -> str:
    """Return the name of the file that holds the schema of ``event``."""
    return f"{event.type.removeprefix('perennial.')}.json"


def event_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event.

    Of events that only we send it describes what we write: every field is there. Of those that
    anyone may send it describes what we accept: fields with a default may be left out.
    """
    accepted = any(topic.event is event for topic in _ANYONE_MAY_SEND)
    schema = event.model_json_schema(
        mode="validation" if accepted else "serialization", schema_generator=_PlainSchema
    )
    return {"$schema": DIALECT, **schema}


def event_schemas() -> dict[str, str]:
    """Return the text of every schema file by its name."""
    events = [topic.event for topic in TOPICS.values() if topic.event is not None]
    return {
        schema_file(event): json.dumps(event_schema(event), indent=2, ensure_ascii=False) + "\n"
        for event in events
    }


def messages(topic: Topic) -> dict[str, Message]:
    """Return the messages of ``topic`` by name."""
    if topic is FRAMES:
        return _frames()
    if topic is EMBEDDINGS:
        return {"Embedding": _embedding()}
    if topic is DEAD_LETTERS:
        return {"DeadLetter": _dead_letter()}
    if topic.event is None:
        raise TypeError(f"topic {topic.name} carries no event that could be described")
    return {topic.event.__name__: _event(topic.event)}


def _frames() -> dict[str, Message]:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    sent = frame_headers("id", "camera", moment, {}, "image/jpeg")
    headers = _headers((*sent, ("regions", b"[]")), required=False)
    where = {
        "type": "object",
        "properties": {"image_uri": {"type": "string", "format": "uri"}},
        "required": ["image_uri"],
    }
    envelope = {
        "type": "object",
        "description": "A CloudEvent in JSON; data is {image_uri}, or data_base64 the image",
        "properties": {
            "specversion": {"const": "1.0"},
            "type": {"const": FRAME_TYPE},
            "id": {"type": "string", "maxLength": MAX_ID},
            "source": {"type": "string", "maxLength": MAX_TEXT},
            "time": {"type": "string", "format": "date-time"},
            "background": {"type": "object"},
            "regions": {"type": "array", "items": {"type": "object"}},
            "data": where,
            "data_base64": {"type": "string", "contentEncoding": "base64"},
        },
    }
    return {
        "FrameImage": {
            "name": FRAME_TYPE,
            "summary": "The bytes of a JPEG, PNG or WebP image; only they are compulsory",
            "contentType": "image/jpeg",
            "headers": headers,
            "payload": {"type": "string", "format": "binary"},
        },
        "FrameClaimCheck": {
            "name": FRAME_TYPE,
            "summary": "Where the image lies; PERENNIAL_IMAGE_URI_ALLOW names what is fetched",
            "contentType": "application/json",
            "headers": headers,
            "payload": where,
        },
        "FrameStructured": {
            "name": FRAME_TYPE,
            "summary": "Structured content mode: attributes and data in one JSON object",
            "contentType": STRUCTURED,
            "payload": envelope,
        },
    }


def _embedding() -> Message:
    box = Region(x=0, y=0, width=1, height=1)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    vector, at = np.ones(1, np.float32), FramePosition(partition=0, offset=0)
    quality = Quality(sharpness=1, size=1, dark=0, bright=0, overall=1)
    sample = Embedding("id", "camera", moment, {}, box, vector, "name@hash", {}, quality, at)
    optional = ("region", "frame", "quality")
    return {
        "name": EMBEDDING_TYPE,
        "summary": "A frame, or a region of one, as a point of the latent space",
        "contentType": "application/octet-stream",
        "headers": _headers(sample.record(EMBEDDINGS.name).headers, optional=optional),
        "payload": {
            "type": "string",
            "format": "binary",
            "description": "Little-endian float32, of norm 1",
        },
    }


def _dead_letter() -> Message:
    origin = Record(FRAMES.name, b"camera", None, (("ce_id", b"id"),))
    why = BadInput("slug", "why")
    sample = dead_letter(DEAD_LETTERS.name, origin, why, "decode", 1, event="camera/id")
    optional = ("dead_key", "dead_event", "dead_null_value")
    return {
        "name": "perennial.dead-letter.v1",
        "summary": f"The original record, untouched; the headers {PREFIX}* say where and why",
        "contentType": "application/octet-stream",
        "headers": _headers(sample.headers, optional=optional),
        "payload": {"type": "string", "format": "binary", "description": "The original bytes"},
    }


def _event(event: type[Event]) -> Message:
    names = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
    return {
        "name": event.type,
        "summary": (event.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(tuple((name, b"") for name in names)),
        "payload": {"$ref": f"./{schema_file(event)}"},
    }


def _headers(
    sent: Headers, *, required: bool = True, optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    names = [name for name, _ in sent]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {n: {"type": "string", "description": _HEADERS[n]} for n in names},
    }
    if required:
        schema["required"] = [name for name in names if name not in optional]
    return schema
