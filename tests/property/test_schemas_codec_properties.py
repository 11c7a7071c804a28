"""Frames: whatever is sent is read or refused, and what is read can travel to its end."""

import base64
import json
from datetime import datetime
from typing import Any

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from schemas.background import undeclared
from schemas.codec import MAX_ID, STRUCTURED, Frame, frame_headers, read_frame
from schemas.embedding import Embedding, read_embedding
from schemas.errors import BadInput
from schemas.gallery import Enrol
from schemas.recognition_event import ReviewItem, ReviewReason
from schemas.records import Record
from tests.gallery_entries import unit

ATTRIBUTES = ["specversion", "id", "source", "time", "background", "regions", "data", "data_base64"]
HEADERS = ["content-type", "background", "regions", *("ce_" + name for name in ATTRIBUTES[:4])]

# Text as JSON may carry it, lone surrogates included; as UTF-8 may carry it, without them.
json_text = st.text(st.characters(), max_size=20)
text = st.text(max_size=20)
json_scalar = (
    st.none() | st.booleans() | st.integers() | st.integers(-(10**400), 10**400)
    | st.floats() | json_text
)  # fmt: skip
anything = st.recursive(
    json_scalar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_text, inner, max_size=3),
    max_leaves=8,
)
box = st.fixed_dictionaries({name: st.floats() for name in ("x", "y", "width", "height")})
instants = st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | text

plausible: dict[str, st.SearchStrategy[Any]] = {
    "specversion": st.just("1.0"),
    "id": json_text,
    "source": json_text,
    "time": instants,
    "background": st.dictionaries(json_text, json_scalar, max_size=3),
    "regions": st.lists(box, max_size=3),
    "data": st.fixed_dictionaries({"image_uri": json_text}),
    "data_base64": st.binary().map(lambda data: base64.b64encode(data).decode()),
}
envelopes = st.fixed_dictionaries(
    {}, optional={name: plausible[name] | anything for name in ATTRIBUTES}
)
header_values = (
    st.binary(max_size=30)
    | text.map(str.encode)
    | st.sampled_from([b"1.0", b"application/json", STRUCTURED.encode()])
    | (anything | st.lists(box)).map(lambda value: json.dumps(value).encode())
    | instants.map(str.encode)
)
headers = st.lists(st.tuples(st.sampled_from(HEADERS) | text, header_values), max_size=6)
timestamps = st.integers(-(2**63), 2**63 - 1) | st.just(1_700_000_000_000_000)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Return a record as a stranger might publish it, in binary or structured mode."""
    given_headers = tuple(draw(headers))
    value = draw(st.none() | st.binary() | anything.map(lambda v: json.dumps(v).encode()))
    if draw(st.booleans()):
        given_headers = (*given_headers, ("content-type", STRUCTURED.encode()))
        value = draw(envelopes.map(lambda envelope: json.dumps(envelope).encode()) | st.just(value))
    key = draw(st.none() | st.binary())
    return Record("frames", key, value, given_headers, 0, 7, draw(timestamps))


def read(record: Record) -> Frame | None:
    """Return the frame, or nothing where it was refused as it should be."""
    try:
        return read_frame(record)
    except BadInput as bad:
        event(bad.reason)
        return None


@given(records())
def test_a_frame_is_read_or_refused_and_nothing_else(record: Record) -> None:
    frame = read(record)
    if frame is not None:
        assert 1 <= len(frame.id) <= MAX_ID
        assert 1 <= len(frame.source) <= 300
        assert frame.captured_at.tzinfo is not None
        assert (frame.image is None) != (frame.image_uri is None)
        assert all(np.isfinite([r.x, r.y, r.width, r.height]).all() for r in frame.regions)


@given(records())
def test_a_frame_that_was_read_is_never_refused_later(record: Record) -> None:
    """Mistakes are named where the frame comes in; no later stage trips over what it let pass."""
    frame = read(record)
    if frame is None:
        return
    try:
        background = undeclared(frame.background)
    except BadInput:
        return
    vector = unit([3, 4])
    sent = Embedding(
        event_id=frame.name(),
        source=frame.source,
        captured_at=frame.captured_at,
        background=background,
        region=next(iter(frame.regions), None),
        vector=vector,
        model="m@1",
        timings_ms={},
    )
    embedding = read_embedding(sent.record("embeddings"))
    assert (embedding.event_id, embedding.source) == (frame.name(), frame.source)
    assert embedding.captured_at == frame.captured_at
    assert embedding.background == background
    known: dict[str, Any] = {
        "source": embedding.source,
        "captured_at": embedding.captured_at,
        "background": embedding.background,
        "model": embedding.model,
        "vector": vector,
    }
    item = ReviewItem(
        event_id=embedding.event_id,
        region=embedding.region,
        cluster=None,
        gallery_position=-1,
        reason=ReviewReason.GALLERY_EMPTY,
        **known,
    )
    again = ReviewItem.read(item.record("human-review"))
    assert again.model_dump_json() == item.model_dump_json()
    Enrol(entry_id=again.event_id, **known)


@given(
    event_id=st.text(min_size=1, max_size=MAX_ID),
    source=st.text(min_size=1, max_size=300),
    captured_at=st.none()
    | st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
    background=st.dictionaries(
        text,
        text | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    ),
    image=st.binary(min_size=1),
)
def test_what_a_publisher_sends_is_what_is_read(
    event_id: str,
    source: str,
    captured_at: datetime | None,
    background: dict[str, Any],
    image: bytes,
) -> None:
    sent = frame_headers(event_id, source, captured_at, background, "image/jpeg")
    frame = read_frame(Record("frames", b"key", image, sent, 0, 7, 1_700_000_000_000))
    assert (frame.id, frame.source, frame.image) == (event_id, source, image)
    assert frame.background == background
    assert [type(value) for value in frame.background.values()] == [
        type(value) for value in background.values()
    ]
    assert frame.regions == ()
    assert frame.image_uri is None
    if captured_at is None:
        assert frame.captured_at.timestamp() == 1_700_000_000
    else:
        # Not ==: in the hour that a zone repeats, it would be false between zones (PEP 495).
        assert frame.captured_at.timestamp() == captured_at.timestamp()
