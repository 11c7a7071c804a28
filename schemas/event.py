"""What all JSON events share: frozen, versioned, strict models with CloudEvents headers."""

import base64
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from schemas.errors import BadInput
from schemas.instants import instant_at
from schemas.json_text import counted, mistakes
from schemas.limits import MAX_DIMENSIONS
from schemas.records import Headers, Record

Scalar = str | bool | int | float
Background = dict[str, Scalar]
Identity = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
MAX_EVENT_ID = 8000
"""Characters of an event id. A character of a source or an id may take twelve of them."""
EventId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_EVENT_ID)]
FloatVector = NDArray[np.float32]


def event_name(source: str, own_id: str, region: int | None = None) -> str:
    """Return the one name of a frame, or of its region of that number: no two share it.

    CloudEvents has it that only source and id together tell events apart. Each is percent-encoded
    down to letters, digits and ``-._~``, so the name suits keys, URLs and files alike.

    >>> event_name("north gate", "2025/IMG_0001.jpg", 2)
    'north%20gate/2025%2FIMG_0001.jpg#2'
    """
    suffix = "" if region is None else f"#{region}"
    return f"{quote(source, safe='')}/{quote(own_id, safe='')}{suffix}"


def frame_of(name: str) -> str:
    """Return the name of the frame that an event name stands for, or for a region of."""
    return name.partition("#")[0]


def bare_id(name: str) -> str:
    """Return the id alone as its publisher wrote it, with ``#<n>`` for a region.

    >>> bare_id("north%20gate/2025%2FIMG_0001.jpg#2")
    '2025/IMG_0001.jpg#2'
    """
    frame, mark, region = name.rpartition("/")[2].partition("#")
    return unquote(frame) + mark + region


class _VectorCodec:
    """Base64 of little-endian float32 in JSON, a read-only (d,) array in Python."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.read,
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.write, return_schema=core_schema.str_schema()
            ),
        )

    @staticmethod
    def read(value: object) -> FloatVector:
        if isinstance(value, str):
            value = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        if not isinstance(value, np.ndarray) or value.ndim != 1 or value.size == 0:
            raise ValueError("a vector is the base64 of one or more little-endian float32")
        if value.size > MAX_DIMENSIONS:
            raise ValueError(f"a vector of {value.size} numbers; at most {MAX_DIMENSIONS}")
        vector = value.astype(np.float32)
        if not np.isfinite(vector).all():
            raise ValueError("a vector must be finite")
        vector.setflags(write=False)
        return vector

    @staticmethod
    def write(vector: FloatVector) -> str:
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


Vector = Annotated[FloatVector, _VectorCodec]


class Region(BaseModel):
    """A box in pixels of the upright image; the origin is the top left corner."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: float
    y: float
    width: float
    height: float


class FramePosition(BaseModel):
    """Where a frame lies on ``frames``, as long as it is kept there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class Event(BaseModel):
    """Base of the JSON events. ``type`` is the CloudEvents type, with the version at its end."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )

    type: ClassVar[str]
    schema_version: Literal[1] = 1

    @property
    def id(self) -> str:
        """The CloudEvents id of the record that carries this event."""
        raise TypeError(f"{type(self).__name__} names no id")

    @property
    def key(self) -> bytes:
        """The record key: the event id unless the topic table says otherwise."""
        return self.id.encode()

    def record(self, topic: str) -> Record:
        """Return this event as the record to put on ``topic``."""
        return Record(topic, self.key, self.model_dump_json().encode(), self._headers())

    def _headers(self) -> Headers:
        return (
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", b"perennial"),
            ("ce_type", self.type.encode()),
            ("ce_time", now().isoformat().encode()),
            ("content-type", b"application/json"),
        )

    @classmethod
    def read(cls, record: Record) -> Self:
        """Parse the record's value.

        Raises:
            BadInput: ``bad_event`` when the value is no valid event of this type,
                ``too_many_values`` when it holds more than an event can need.
        """
        try:
            return cls.model_validate_json(counted(record.value or b""))
        except ValidationError as error:
            raise BadInput("bad_event", f"not a {cls.__name__}: {mistakes(error)}") from error


Instant = AwareDatetime


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class Decided(Event):
    """An event with the instant of its decision, by which a late repeat is known."""

    decided_at: Instant = Field(
        default_factory=now,
        description="When it was decided; left out: when its record was written",
    )

    @classmethod
    def read(cls, record: Record) -> Self:
        """Parse the record's value; each reading of it gives the same instant.

        Raises:
            BadInput: ``bad_event`` when the value is no valid event of this type, ``bad_time`` when
                neither the value nor the record's timestamp names an instant.
        """
        event = super().read(record)
        if "decided_at" in event.model_fields_set:
            return event
        try:
            return event.model_copy(update={"decided_at": instant_at(record.timestamp_ms)})
        except ValueError as error:
            raise BadInput("bad_time", f"timestamp {record.timestamp_ms}: {error}") from error
