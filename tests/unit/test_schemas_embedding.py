"""Embeddings on the wire: the vector as bytes, the rest in headers."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from schemas.embedding import TOLERANCE, Embedding, read_embedding
from schemas.errors import BadInput
from schemas.event import MAX_EVENT_ID, FloatVector, FramePosition, Region
from schemas.limits import MAX_DIMENSIONS
from schemas.quality import Quality
from schemas.records import Record

QUALITY = Quality(sharpness=0.3141, size=96, dark=0.02, bright=0, overall=1)


def float32(*numbers: float) -> FloatVector:
    return np.array(numbers, np.float32)


def embedding(**changes: Any) -> Embedding:
    values: dict[str, Any] = {
        "event_id": "x#1",
        "source": "cam-é",
        "captured_at": datetime(2025, 5, 1, 12, 0, 0, 5, timezone(timedelta(hours=2))),
        "background": {"season": "winter", "hour": 12.5, "wet": True, "stall": 3},
        "region": Region(x=1, y=2.5, width=30, height=40),
        "vector": float32(0.6, -0.8),
        "model": "lite0@0123456789ab",
        "timings_ms": {"decode": 1.25, "sent_at": 1746093600123.5},
        "quality": QUALITY,
    }
    return Embedding(**{**values, **changes})


def record(value: bytes | None = None, **headers: bytes | None) -> Record:
    """Return the record of an embedding with other headers; None leaves one out."""
    sent = embedding().record("embeddings")
    kept = {**dict(sent.headers), **headers}
    given = tuple((name, text) for name, text in kept.items() if text is not None)
    return Record("embeddings", sent.key, sent.value if value is None else value, given)


def same(one: Embedding, other: Embedding) -> bool:
    names = {field.name for field in fields(Embedding)} - {"vector"}
    return all(getattr(one, name) == getattr(other, name) for name in names) and np.array_equal(
        one.vector, other.vector
    )


@pytest.mark.parametrize("frame", [None, FramePosition(partition=3, offset=2**40)])
def test_where_the_frame_lies_travels_along(frame: FramePosition | None) -> None:
    assert read_embedding(embedding(frame=frame).record("embeddings")).frame == frame


@pytest.mark.parametrize("region", [None, Region(x=0, y=0, width=1, height=1)])
def test_round_trip(region: Region | None) -> None:
    sent = embedding(region=region)
    read = read_embedding(sent.record("embeddings"))
    assert same(read, sent)
    assert read.vector.dtype == np.float32
    assert {name: type(value) for name, value in read.background.items()} == {
        "season": str,
        "hour": float,
        "wet": bool,
        "stall": int,
    }


def test_an_embedding_without_a_quality_is_read() -> None:
    """Those that an earlier version sent have no such header."""
    sent = embedding(quality=None).record("embeddings")
    assert sent.header("quality") is None
    assert same(read_embedding(sent), embedding(quality=None))


def test_the_record_is_keyed_by_source_and_holds_little_endian_float32() -> None:
    sent = embedding(vector=np.array([0.6, -0.8], dtype=">f4")).record("embeddings")
    assert (sent.topic, sent.key) == ("embeddings", "cam-é".encode())
    assert sent.value == np.array([0.6, -0.8], dtype="<f4").tobytes()
    headers = dict(sent.headers)
    assert headers["ce_type"] == b"perennial.embedding.v1"
    assert headers["content-type"] == b"application/octet-stream"


@pytest.mark.parametrize(
    "name", ["ce_id", "ce_source", "ce_time", "background", "model", "timings"]
)
@pytest.mark.parametrize("value", [None, b""])
def test_a_missing_header_is_named(name: str, value: bytes | None) -> None:
    with pytest.raises(BadInput, match=f"'{name}' is missing") as caught:
        read_embedding(record(**{name: value}))
    assert caught.value.reason == "bad_embedding"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_time", b"noon"),
        ("ce_time", b"9999-12-31T23:59:59Z"),
        ("background", b"{"),
        ("background", b'["winter"]'),
        ("background", b'{"season": null}'),
        ("background", b'{"season": {"name": "winter"}}'),
        ("region", b'{"x": 1}'),
        ("region", b'{"x": NaN, "y": 0, "width": 1, "height": 1}'),
        ("region", b""),
        ("quality", b""),
        ("quality", b"{"),
        ("quality", b'{"sharpness": 0.3}'),
        ("quality", b'{"sharpness": 0.3, "size": 9, "dark": 0, "bright": 2, "overall": 1}'),
        ("quality", b'{"sharpness": NaN, "size": 9, "dark": 0, "bright": 0, "overall": 1}'),
        ("frame", b"3-7"),
        ("frame", b'{"partition": 0, "offset": -1}'),
        ("timings", b'{"decode": "soon"}'),
        ("timings", b"\xff"),
    ],
)
def test_a_wrong_header_is_bad_input(name: str, value: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_embedding(record(**{name: value}))
    assert caught.value.reason == "bad_embedding"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("background", b'{"hour": NaN}'),
        ("background", b'{"hour": -Infinity}'),
        ("timings", b'{"decode": NaN}'),
        ("timings", b'{"decode": Infinity}'),
    ],
)
def test_what_no_outcome_could_carry_is_bad_input(name: str, value: bytes) -> None:
    """Identifications and review items hold finite numbers only; better refused by name here."""
    with pytest.raises(BadInput) as caught:
        read_embedding(record(**{name: value}))
    assert caught.value.reason == "bad_embedding"


def test_an_id_that_no_outcome_could_carry_is_bad_input() -> None:
    with pytest.raises(BadInput):
        read_embedding(record(ce_id=b"x" * (MAX_EVENT_ID + 1)))


def test_a_time_without_a_zone_is_read_as_utc_or_refused() -> None:
    """Outcomes need an instant; a naive time would make the matcher fail for no named reason."""
    try:
        read = read_embedding(record(ce_time=b"2025-05-01T12:00:00"))
    except BadInput:
        return
    assert read.captured_at == datetime(2025, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "0 bytes"),
        (b"12345", "5 bytes"),
        (float32(0, 0).tobytes(), "norm 0;"),
        (float32(2, 0).tobytes(), "norm 2;"),
        (float32(0.99, 0).tobytes(), "norm 0.99;"),
        (float32(1, np.nan).tobytes(), "not finite;"),
        (float32(1, -np.inf).tobytes(), "not finite;"),
        (bytes(4 * MAX_DIMENSIONS + 4), f"{MAX_DIMENSIONS + 1} numbers; at most"),
    ],
)
def test_what_is_no_unit_vector_is_refused(value: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        read_embedding(record(value))
    assert caught.value.reason == "bad_vector"


def test_a_record_without_a_value_is_refused() -> None:
    sent = embedding().record("embeddings")
    with pytest.raises(BadInput, match="0 bytes"):
        read_embedding(Record("embeddings", None, None, sent.headers))


def test_a_vector_as_long_as_float32_allows_is_refused_without_a_warning() -> None:
    with pytest.raises(BadInput) as caught:
        read_embedding(record(np.full(4, 3e38, np.float32).tobytes()))
    assert caught.value.reason == "bad_vector"


@pytest.mark.parametrize("error", [TOLERANCE * 0.9, -TOLERANCE * 0.9])
def test_rounding_of_the_norm_is_tolerated(error: float) -> None:
    assert read_embedding(record(float32(1 + error, 0).tobytes())).vector.size == 2
