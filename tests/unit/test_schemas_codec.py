"""Frames on the wire: bare bytes, CloudEvents headers, structured JSON, and every mistake."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.codec import (
    MAX_ID,
    MAX_TEXT,
    STRUCTURED,
    Frame,
    frame_headers,
    frame_name,
    read_frame,
)
from schemas.errors import BadInput
from schemas.event import EventId, Region
from schemas.limits import STANDARD
from schemas.records import Record

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
BOX = {"x": 1, "y": 2, "width": 30, "height": 40}


def sent(
    headers: Mapping[str, str] | None = None,
    value: bytes | None = b"image",
    key: bytes | None = b"c",
) -> Record:
    """Return a frame as the broker delivers it, at noon of 1 May 2025."""
    encoded = tuple((name, text.encode()) for name, text in (headers or {}).items())
    return Record("frames", key, value, encoded, 2, 7, int(NOON.timestamp() * 1000))


def structured(content_type: str = STRUCTURED, **envelope: Any) -> Record:
    return sent({"content-type": content_type}, json.dumps(envelope).encode())


def whole(**envelope: Any) -> Record:
    """Return a structured frame with an image."""
    return structured(data_base64="eA==", **envelope)


def test_bare_bytes_are_enough() -> None:
    assert read_frame(sent(key=None)) == Frame(
        id="frames-2-7",
        source="unknown",
        captured_at=NOON,
        background={},
        regions=(),
        image=b"image",
        image_uri=None,
    )


def test_the_headers_that_kcat_sends_in_the_readme() -> None:
    headers = {"content-type": "image/jpeg", "background": '{"season":"winter"}'}
    frame = read_frame(sent(headers, key=b"cam-3"))
    assert (frame.source, frame.background) == ("cam-3", {"season": "winter"})
    assert frame.image == b"image"


def test_binary_mode_round_trip() -> None:
    at = datetime(2025, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=-3.5)))
    headers = frame_headers("é-1", "cam", at, {"hour": 3.5, "wet": True}, "image/png")
    frame = read_frame(Record("frames", b"k", b"image", headers))
    assert (frame.id, frame.source, frame.captured_at) == ("é-1", "cam", at)
    assert frame.captured_at.utcoffset() == at.utcoffset()
    assert frame.background == {"hour": 3.5, "wet": True}


def test_a_frame_published_without_a_time_has_no_time_header() -> None:
    headers = frame_headers("1", "cam", None, {}, "image/png")
    assert "ce_time" not in dict(headers)
    assert dict(headers)["ce_type"] == b"perennial.frame.v1"


def test_a_background_that_json_can_not_carry_is_not_published() -> None:
    with pytest.raises(ValueError, match="JSON"):
        frame_headers("1", "cam", None, {"hour": float("nan")}, "image/png")


def test_regions_are_boxes_in_pixels() -> None:
    frame = read_frame(sent({"regions": json.dumps([BOX, {**BOX, "x": 0.5}])}))
    assert frame.regions == (
        Region(x=1, y=2, width=30, height=40),
        Region(x=0.5, y=2, width=30, height=40),
    )


def test_a_claim_check_is_json_with_an_image_uri() -> None:
    value = b'{"image_uri": "s3://bucket/photo.jpg"}'
    frame = read_frame(sent({"content-type": "application/json", "ce_id": "x"}, value))
    assert (frame.id, frame.image, frame.image_uri) == ("x", None, "s3://bucket/photo.jpg")


@pytest.mark.parametrize(
    "content_type", [STRUCTURED, f"{STRUCTURED}; charset=UTF-8", " Application/CloudEvents+JSON "]
)
def test_structured_mode_carries_all_in_the_value(content_type: str) -> None:
    record = structured(
        content_type,
        specversion="1.0",
        id="x",
        source="cam-9",
        time="2025-05-01T10:00:00+02:00",
        background={"season": "winter"},
        regions=[BOX],
        data_base64=base64.b64encode(b"\xff\xd8image").decode(),
    )
    frame = read_frame(record)
    assert (frame.id, frame.source, frame.background) == ("x", "cam-9", {"season": "winter"})
    assert frame.captured_at == datetime(2025, 5, 1, 8, tzinfo=UTC)
    assert (frame.image, frame.image_uri, len(frame.regions)) == (b"\xff\xd8image", None, 1)


def test_structured_mode_with_a_claim_check_and_nothing_else() -> None:
    frame = read_frame(structured(data={"image_uri": "file:///data/photo.jpg"}))
    assert (frame.id, frame.source, frame.captured_at) == ("frames-2-7", "c", NOON)
    assert frame.image_uri == "file:///data/photo.jpg"


def test_in_structured_mode_other_headers_do_not_count() -> None:
    record = sent(
        {"content-type": STRUCTURED, "ce_id": "header", "background": "broken"},
        b'{"data_base64": "eA=="}',
    )
    assert read_frame(record).id == "frames-2-7"


def test_a_time_without_a_zone_is_utc() -> None:
    assert read_frame(sent({"ce_time": "2025-05-01T12:00:00"})).captured_at == NOON


def test_a_record_without_a_timestamp_was_captured_at_the_epoch() -> None:
    frame = read_frame(Record("frames", None, b"image"))
    assert frame.captured_at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("key", [b"caf\xe9", b"k" * 301])
def test_a_key_that_can_not_be_the_source_is_refused_where_it_must_be(key: bytes) -> None:
    """Replaced or cut, it could be another camera's, and the two would be one."""
    with pytest.raises(BadInput, match="or a ce_source") as caught:
        read_frame(sent(key=key))
    assert caught.value.reason == "bad_source"
    assert read_frame(sent({"ce_source": "gate"}, key=key)).source == "gate"
    assert read_frame(sent(key=b"")).source == "unknown"


@pytest.mark.parametrize("attribute", ["id", "source"])
def test_latin_1_is_refused_because_two_names_would_become_one(attribute: str) -> None:
    for value in (b"caf\xe9", b"caf\xe8"):
        with pytest.raises(BadInput, match=r"caf\\xe.*; expected UTF-8 text") as caught:
            read_frame(Record("frames", b"c", b"image", ((f"ce_{attribute}", value),), 2, 7, 0))
        assert caught.value.reason == f"bad_{attribute}"


def test_a_frame_is_named_by_its_source_and_its_id() -> None:
    north, south = (
        read_frame(sent({"ce_id": "IMG_0001.jpg", "ce_source": source}))
        for source in ("north", "south")
    )
    assert (north.name(), south.name(3)) == ("north/IMG_0001.jpg", "south/IMG_0001.jpg#3")
    assert read_frame(sent(key=b"cam")).name() == "cam/frames-2-7"


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (sent({"ce_id": "x", "background": "broken"}), "c/x"),
        (structured(id="x", source="gate", regions=7), "gate/x"),
        (sent({"content-type": STRUCTURED, "ce_id": "x"}, b"{"), "unknown/frames-2-7"),
        (sent({"ce_id": "x" * 281}), "unknown/frames-2-7"),
        (sent({"ce_id": "x", "ce_source": "s" * 301}), "unknown/frames-2-7"),
    ],
)
def test_an_unreadable_frame_has_a_name_too(record: Record, name: str) -> None:
    with pytest.raises(BadInput):
        read_frame(record)
    assert frame_name(record) == name


def test_empty_attributes_count_as_missing() -> None:
    frame = read_frame(sent({"ce_id": "", "ce_source": ""}))
    assert (frame.id, frame.source) == ("frames-2-7", "c")


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("record", "reason", "said"),
    [
        (sent(value=None), "empty_frame", "no bytes"),
        (sent(value=b""), "empty_frame", "no bytes"),
        (sent(JSON, b""), "empty_frame", "no bytes"),
        (sent({"ce_specversion": "0.3"}), "bad_specversion", "'0.3'; expected '1.0'"),
        (structured(specversion=1.0, data={}), "bad_specversion", "1.0; expected '1.0'"),
        (sent({"ce_id": "x" * (MAX_ID + 1)}), "bad_id", "at most 280"),
        (sent({"ce_source": "x" * 301}), "bad_source", "at most"),
        (structured(id=7, data_base64="eA=="), "bad_id", "expected UTF-8 text"),
        (structured(source=["cam"], data_base64="eA=="), "bad_source", "expected UTF-8 text"),
        (structured(time=0, data_base64="eA=="), "bad_time", "expected UTF-8 text"),
        (sent({"ce_time": "yesterday"}), "bad_time", "'yesterday'; expected RFC 3339"),
        (sent({"ce_time": ""}), "bad_time", "expected RFC 3339"),
        (sent({"ce_time": "2025-02-30T00:00:00Z"}), "bad_time", "expected RFC 3339"),
        (sent({"ce_time": "0001-01-01T12:00:00Z"}), "bad_time", "expected RFC 3339"),
        (sent({"ce_time": "9999-12-31T12:00:00Z"}), "bad_time", "expected RFC 3339"),
        (sent({"background": "winter"}), "bad_background", "no valid JSON"),
        (sent({"background": '{"t": "\\udc00"}'}), "bad_background", "expected UTF-8 text"),
        (sent({"background": '{"\\ud800": 1}'}), "bad_background", "expected UTF-8 text"),
        (sent({"background": ""}), "bad_background", "no valid JSON"),
        (sent({"background": '{"t": NaN}'}), "bad_background", "NaN is not JSON"),
        (sent({"background": '{"t": -Infinity}'}), "bad_background", "-Infinity is not JSON"),
        (sent({"background": "[" * 9_000}), "bad_background", "no valid JSON"),
        (sent({"background": "[" * 10_001}), "too_many_values", "about 10002 values"),
        (sent({"background": "[" * 20_000}), "bad_background", "at most 16384 (PERENNIAL_MAX_BAC"),
        (sent({"regions": " " * 2**17}), "bad_regions", "for PERENNIAL_MAX_REGIONS boxes"),
        (whole(background={"a": "x" * 2**14}), "bad_background", "16385 bytes"),
        (whole(background={str(n): 10**4000 for n in range(5)}), "bad_background", "at most 16384"),
        (whole(regions=[0] * 33), "bad_regions", "33 regions; at most 32"),
        (structured(regions=[0] * 10_000), "too_many_values", "JSON of about"),
        (
            sent({"background": '["winter"]'}),
            "bad_background",
            "['winter']; expected a JSON object",
        ),
        (structured(background="winter", data_base64="eA=="), "bad_background", "a JSON object"),
        (sent({"regions": "[{]"}), "bad_regions", "no valid JSON"),
        (sent({"regions": '[{"x": 1}]'}), "bad_regions", 'expected [{"x": .., "y": ..'),
        (sent({"regions": json.dumps(BOX)}), "bad_regions", "expected [{"),
        (sent({"regions": json.dumps([BOX] * 33)}), "bad_regions", "33 regions; at most 32"),
        (sent(JSON, b"{"), "bad_json", "value is no valid JSON"),
        (sent(JSON, b'{"image_uri": 7}'), "no_image", "image_uri"),
        (sent(JSON, b"[]"), "no_image", "image_uri"),
        (sent({"content-type": STRUCTURED}, b"\xff\xd8image"), "bad_json", "no valid JSON"),
        (sent({"content-type": STRUCTURED}, b"[]"), "bad_json", "JSON object"),
        (sent({"content-type": STRUCTURED}, None), "bad_json", "JSON object"),
        (structured(id="x"), "no_image", "neither image bytes"),
        (structured(data="image"), "no_image", "neither image bytes"),
        (structured(data={"image_uri": "\ud800"}), "no_image", "image_uri"),
        (structured(data_base64="e A=="), "bad_base64", "data_base64"),
        (structured(data_base64="é"), "bad_base64", "data_base64"),
        (structured(data_base64=7), "bad_base64", "data_base64"),
    ],
)
def test_each_mistake_has_a_reason_and_a_remedy(record: Record, reason: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_frame(record)
    assert caught.value.reason == reason
    assert said in str(caught.value)


def test_as_many_regions_as_allowed() -> None:
    assert (
        len(read_frame(sent({"regions": json.dumps([BOX] * STANDARD.regions)})).regions)
        == STANDARD.regions
    )


def test_structured_mode_without_bytes_is_an_empty_frame_too() -> None:
    with pytest.raises(BadInput) as caught:
        read_frame(structured(data_base64=""))
    assert caught.value.reason == "empty_frame"


def test_a_publisher_that_counts_in_microseconds_gets_an_answer() -> None:
    """The producer sets a record's timestamp: 1.7e15 read as milliseconds is the year 55840."""
    with pytest.raises(BadInput) as caught:
        read_frame(Record("frames", None, b"image", timestamp_ms=1_700_000_000_000_000))
    assert caught.value.reason == "bad_time"


@pytest.mark.parametrize("attribute", ["id", "source"])
def test_text_that_utf_8_can_not_carry_is_refused(attribute: str) -> None:
    """JSON can spell a lone surrogate; no header, key or Redis name can hold one."""
    with pytest.raises(BadInput) as caught:
        read_frame(structured(**{attribute: "\ud800", "data_base64": "eA=="}))
    assert caught.value.reason == f"bad_{attribute}"


def test_every_later_event_accepts_the_longest_name() -> None:
    wide = "\N{COW}"  # four bytes, twelve characters when encoded
    frame = read_frame(sent({"ce_id": wide * MAX_ID, "ce_source": wide * MAX_TEXT}))
    TypeAdapter(EventId).validate_python(f"enrol-{frame.name(STANDARD.regions - 1)}")


def test_the_longest_position_is_an_id() -> None:
    """A topic's name has at most 249 characters; a worker must not refuse the id it gave."""
    record = Record("t" * 249, None, b"image", (), 2**31 - 1, 2**63 - 1)
    assert len(record.position) == MAX_ID
    republished = Record("frames", None, b"image", (("ce_id", record.position.encode()),))
    assert read_frame(republished).id == read_frame(record).id
