"""Embeddings and JSON events: arbitrary records are read or refused, vectors bit by bit."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from schemas.embedding import Embedding, read_embedding
from schemas.errors import BadInput
from schemas.event import Event, FloatVector, Region
from schemas.quality import Quality
from schemas.records import Record
from schemas.topics import TOPICS
from tests.gallery_entries import entry

NAMES = ["ce_id", "ce_source", "ce_time", "background", "region", "model", "timings", "quality"]

finite = st.floats(allow_nan=False, allow_infinity=False)
finite32 = st.floats(allow_nan=False, allow_infinity=False, width=32)
text = st.text(min_size=1, max_size=20)
background = st.dictionaries(text, text | st.booleans() | st.integers() | finite, max_size=3)
shares = st.floats(0, 1)
qualities = st.builds(
    Quality,
    sharpness=st.floats(0, 64),
    size=st.integers(0, 10**6),
    dark=shares,
    bright=shares,
    overall=shares,
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
anything = st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode())


@st.composite
def unit_vectors(draw: st.DrawFn) -> FloatVector:
    raw = draw(arrays.arrays(np.float64, st.integers(1, 16), elements=st.floats(-1, 1)))
    raw[draw(st.integers(0, raw.size - 1))] = 1
    return np.asarray(raw / np.linalg.norm(raw), dtype=np.float32)


@st.composite
def embeddings(draw: st.DrawFn) -> Embedding:
    box = st.builds(Region, x=finite, y=finite, width=finite, height=finite)
    return Embedding(
        event_id=draw(text),
        source=draw(text),
        captured_at=draw(
            st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.timezones())  # noqa: DTZ001
        ),
        background=draw(background),
        region=draw(st.none() | box),
        vector=draw(unit_vectors()),
        model=draw(text),
        timings_ms=draw(st.dictionaries(text, finite, max_size=3)),
        quality=draw(st.none() | qualities),
    )


def same(one: Embedding, other: Embedding) -> bool:
    names = ("event_id", "source", "background", "region", "model", "timings_ms", "quality")
    return (
        all(getattr(one, name) == getattr(other, name) for name in names)
        # Not ==: in the hour that a zone repeats, an instant equals none of another zone (PEP 495).
        and one.captured_at.timestamp() == other.captured_at.timestamp()
        and np.array_equal(one.vector, other.vector)
    )


@given(embeddings())
def test_round_trip(sent: Embedding) -> None:
    assert same(read_embedding(sent.record("embeddings")), sent)


@given(embeddings(), st.dictionaries(st.sampled_from(NAMES), st.none() | anything), st.data())
def test_a_record_is_an_embedding_or_bad_input(
    sent: Embedding, changes: dict[str, bytes | None], data: st.DataObject
) -> None:
    original = sent.record("embeddings")
    headers = {**dict(original.headers), **changes}
    kept = tuple((name, value) for name, value in headers.items() if value is not None)
    value = data.draw(st.just(original.value) | st.none() | st.binary(max_size=40))
    try:
        read = read_embedding(Record("embeddings", None, value, kept))
    except BadInput as bad:
        event(bad.reason)
        return
    assert read.vector.ndim == 1
    assert np.linalg.norm(read.vector) == pytest.approx(1, abs=2e-3)
    assert same(read_embedding(read.record("embeddings")), read)


@given(st.sampled_from([t.event for t in TOPICS.values() if t.event]), st.none() | anything)
def test_a_record_is_an_event_or_bad_input(kind: type[Event], value: bytes | None) -> None:
    with pytest.raises(BadInput, match=f"not a {kind.__name__}"):
        kind.read(Record("t", None, value))


@given(entry_fields=st.fixed_dictionaries({}, optional={
    "entry_id": json_values, "identity": json_values, "status": json_values,
    "background": json_values | background, "captured_at": json_values, "vector": json_values,
    "changed_at": json_values, "schema_version": json_values, "more": json_values,
}))  # fmt: skip
def test_an_entry_with_any_field_changed_is_an_entry_or_bad_input(
    entry_fields: dict[str, Any],
) -> None:
    good = entry("e1", "oak", [0.6, 0.8])
    fields = {**json.loads(good.model_dump_json()), **entry_fields}
    try:
        read = type(good).read(Record("t", None, json.dumps(fields).encode()))
    except BadInput:
        return
    assert type(good).read(read.record("t")).model_dump_json() == read.model_dump_json()


@given(arrays.arrays(np.float32, st.integers(1, 32), elements=finite32))
def test_a_vector_keeps_every_bit(vector: FloatVector) -> None:
    sent = entry("e1", "oak", [1, 0]).model_copy(update={"vector": vector})
    read = type(sent).read(sent.record("gallery")).vector
    assert read.tobytes() == vector.tobytes()


@given(st.binary(max_size=40))
def test_any_bytes_are_a_finite_vector_or_bad_input(raw: bytes) -> None:
    fields = json.loads(entry("e1", "oak", [1, 0]).model_dump_json())
    fields["vector"] = base64.b64encode(raw).decode()
    record = Record("t", None, json.dumps(fields).encode())
    fits = len(raw) > 0 and len(raw) % 4 == 0 and bool(np.isfinite(np.frombuffer(raw, "<f4")).all())
    try:
        read = type(entry("e1", "oak", [1, 0])).read(record)
    except BadInput:
        assert not fits
    else:
        assert fits
        assert read.vector.tobytes() == raw
        assert read.captured_at == datetime(2025, 5, 1, tzinfo=UTC)
