"""``embeddings``: the raw vector as value, everything else in headers (the hot path: no JSON)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from schemas.errors import BadInput
from schemas.event import Background, EventId, FloatVector, FramePosition, Region
from schemas.instants import read_instant
from schemas.json_text import counted, mistakes
from schemas.limits import MAX_DIMENSIONS
from schemas.quality import Quality
from schemas.records import Headers, Record

Part = TypeVar("Part", bound=BaseModel)

TYPE = "perennial.embedding.v1"
TOLERANCE = 1e-3

_FINITE = ConfigDict(allow_inf_nan=False)

_event_id = TypeAdapter(EventId)
_background = TypeAdapter(Background, config=_FINITE)
_timings = TypeAdapter(dict[str, float], config=_FINITE)


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A frame, or one region of it, as a point of the latent space.

    Attributes:
        event_id: the event name of the frame, or of its region.
        vector: (d,) float32, unit norm.
        model: ``name@hash`` of the model that made it.
        timings_ms: milliseconds per stage so far; ``published_at`` and ``sent_at`` are instants
            in milliseconds since the epoch.
        quality: of the picture; None where whoever embedded it did not measure it.
        frame: where its frame lies; None where that was not told.
    """

    event_id: str
    source: str
    captured_at: datetime
    background: Background
    region: Region | None
    vector: FloatVector
    model: str
    timings_ms: dict[str, float]
    quality: Quality | None = None
    frame: FramePosition | None = None

    def record(self, topic: str) -> Record:
        """Return the record to put on ``topic``, keyed by source."""
        headers: Headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", self.event_id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", TYPE.encode()),
            ("ce_time", self.captured_at.isoformat().encode()),
            ("content-type", b"application/octet-stream"),
            ("background", json.dumps(self.background).encode()),
            *_told("region", self.region),
            *_told("frame", self.frame),
            ("model", self.model.encode()),
            ("timings", json.dumps(self.timings_ms).encode()),
            *_told("quality", self.quality),
        )
        return Record(topic, self.source.encode(), self.vector.astype("<f4").tobytes(), headers)


def read_embedding(record: Record) -> Embedding:
    """Read an embedding record.

    Raises:
        BadInput: ``bad_embedding`` for missing or wrong headers, ``bad_vector`` when the value is
            not a finite, unit-norm float32 vector.
    """
    try:
        return Embedding(
            event_id=_event_id.validate_python(_need(record, "ce_id")),
            source=_need(record, "ce_source"),
            captured_at=read_instant(_need(record, "ce_time")),
            background=_background.validate_json(counted(_need(record, "background").encode())),
            region=_read_optional(Region, record.header("region")),
            vector=_read_vector(record.value),
            model=_need(record, "model"),
            timings_ms=_timings.validate_json(counted(_need(record, "timings").encode())),
            quality=_read_optional(Quality, record.header("quality")),
            frame=_read_optional(FramePosition, record.header("frame")),
        )
    except ValidationError as error:
        raise BadInput("bad_embedding", f"not an embedding: {mistakes(error)}") from error
    except ValueError as error:
        raise BadInput("bad_embedding", f"not an embedding: {error}") from error


def _need(record: Record, name: str) -> str:
    text = record.header(name)
    if not text:
        raise BadInput("bad_embedding", f"header {name!r} is missing")
    return text


def _told(name: str, part: BaseModel | None) -> Headers:
    return () if part is None else ((name, part.model_dump_json().encode()),)


def _read_optional(part: type[Part], text: str | None) -> Part | None:
    return None if text is None else part.model_validate_json(counted(text.encode()))


def _read_vector(value: bytes | None) -> FloatVector:
    if not value or len(value) % 4:
        raise BadInput("bad_vector", f"{len(value or b'')} bytes are no float32 vector")
    if len(value) > 4 * MAX_DIMENSIONS:
        raise BadInput("bad_vector", f"{len(value) // 4} numbers; at most {MAX_DIMENSIONS}")
    vector = np.frombuffer(value, dtype="<f4").astype(np.float32, copy=False)
    if not np.isfinite(vector).all():  # a signalling NaN must not be computed with
        raise BadInput("bad_vector", "not finite; expected a finite vector of norm 1")
    norm = float(np.linalg.norm(vector.astype(np.float64)))  # float32 squares overflow at 1e19
    if abs(norm - 1.0) > TOLERANCE:
        raise BadInput("bad_vector", f"norm {norm:.4g}; expected a finite vector of norm 1")
    return vector
