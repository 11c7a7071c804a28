"""What all JSON events share: the vector codec, the headers, and messages that help."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.errors import BadInput
from schemas.event import Event, EventId, FloatVector, Identity, Instant, Region, Vector, now
from schemas.limits import MAX_DIMENSIONS
from schemas.records import Record

_vector = TypeAdapter(Vector)


class Sighting(Event):
    """A small event."""

    type: ClassVar[str] = "perennial.sighting.v1"

    name: Identity
    seen_at: Instant
    vector: Vector
    score: float = 0.5

    @property
    def id(self) -> str:
        return f"sighting-{self.name}"


class Nameless(Event):
    """An event whose author forgot the id."""

    type: ClassVar[str] = "perennial.nameless.v1"


def float32(*numbers: float) -> FloatVector:
    return np.array(numbers, np.float32)


def sighting() -> Sighting:
    return Sighting(name="oak", seen_at=now(), vector=float32(0.6, -0.8))


def changed(**fields: Any) -> Record:
    """Return the record of a sighting with other JSON fields."""
    value = {**json.loads(sighting().model_dump_json()), **fields}
    return Record("t", None, json.dumps(value).encode())


def encoded(*numbers: float, dtype: str = "<f4") -> str:
    return base64.b64encode(np.array(numbers, dtype).tobytes()).decode()


def test_a_record_carries_cloudevents_headers_and_json() -> None:
    event = sighting()
    record = event.record("topic")
    assert (record.topic, record.key) == ("topic", b"sighting-oak")
    headers = dict(record.headers)
    sent = datetime.fromisoformat(headers.pop("ce_time").decode())
    assert timedelta(0) <= now() - sent < timedelta(minutes=1)
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"sighting-oak",
        "ce_source": b"perennial",
        "ce_type": b"perennial.sighting.v1",
        "content-type": b"application/json",
    }
    assert json.loads(record.value or b"")["schema_version"] == 1


def test_what_was_written_is_read() -> None:
    event = sighting()
    read = Sighting.read(event.record("topic"))
    assert (read.name, read.seen_at, read.score) == (event.name, event.seen_at, event.score)
    assert np.array_equal(read.vector, event.vector)


def test_an_event_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(sighting(), "name", "elm")  # noqa: B010  mypy knows that it is read-only


def test_an_event_must_name_its_id() -> None:
    with pytest.raises(TypeError, match="Nameless"):
        _ = Nameless().id


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (changed(name=""), "name: String should have at least 1 character"),
        (changed(name="  \t"), "name: String should have at least 1 character"),
        (changed(name="x" * 201), "name: String should have at most 200 characters"),
        (changed(seen_at="2025-05-01T12:00:00"), "seen_at: Input should have timezone info"),
        (changed(colour="red"), "colour: Extra inputs are not permitted"),
        (changed(schema_version=2), "schema_version: Input should be 1"),
        (changed(vector="!"), "vector: "),
        (changed(score=float("nan")), "score: Input should be a finite number"),
        (changed(score=float("inf")), "score: Input should be a finite number"),
        (Record("t", None, b"{}"), "name: Field required; seen_at: Field required"),
        (Record("t", None, b"[]"), "value: Input should be an object"),
        (Record("t", None, b"{"), "value: Invalid JSON"),
        (Record("t", None, b"\xff"), "value: Invalid JSON"),
        (Record("t", None, None), "value: Invalid JSON"),
    ],
)
def test_a_bad_event_says_which_field_is_wrong(record: Record, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        Sighting.read(record)
    assert caught.value.reason == "bad_event"
    assert str(caught.value).startswith("not a Sighting: ")
    assert said in str(caught.value)


def test_space_around_an_identity_does_not_count() -> None:
    assert Sighting.read(changed(name="  oak ")).name == "oak"


def test_an_event_id_is_never_empty() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EventId).validate_python("")


def test_a_vector_is_base64_of_little_endian_float32() -> None:
    assert _vector.dump_python(float32(1.0, -2.0)) == "AACAPwAAAMA="
    assert _vector.validate_python("AACAPwAAAMA=").tolist() == [1.0, -2.0]


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8"])
def test_an_array_of_any_float_type_is_taken_as_float32(dtype: str) -> None:
    vector = _vector.validate_python(np.array([0.5, -2.0], dtype))
    assert vector.dtype == np.float32
    assert vector.tolist() == [0.5, -2.0]


def test_a_vector_can_not_be_changed_from_either_side() -> None:
    given = float32(1.0, 2.0)
    vector = _vector.validate_python(given)
    given[0] = 9
    assert vector.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 3


@pytest.mark.parametrize(
    "value",
    [
        "",
        "AACAPw",  # no padding
        "AACAPw==\n",
        "été",
        encoded(1.0)[:-4],
        encoded(1, dtype="<f2"),  # two bytes
        encoded(1.0, float("nan")),
        encoded(float("-inf")),
        [1.0, 2.0],
        None,
        1.0,
        np.empty(0, np.float32),
        np.ones((2, 2), np.float32),
        np.ones(MAX_DIMENSIONS + 1, np.float32),
    ],
)
def test_what_is_no_vector_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        _vector.validate_python(value)


def test_in_json_schemas_a_vector_is_a_string() -> None:
    assert Sighting.model_json_schema()["properties"]["vector"]["type"] == "string"
    output = Sighting.model_json_schema(mode="serialization")
    assert output["properties"]["vector"]["type"] == "string"


@pytest.mark.parametrize(
    "box",
    [
        {"x": 0, "y": 0, "width": 5},
        {"x": 0, "y": 0, "width": 5, "height": 5, "depth": 1},
        {"x": 0, "y": float("nan"), "width": 5, "height": 5},
        {"x": 0, "y": 0, "width": float("inf"), "height": 5},
        {"x": "left", "y": 0, "width": 5, "height": 5},
    ],
)
def test_a_region_is_four_finite_numbers(box: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Region.model_validate(box)
