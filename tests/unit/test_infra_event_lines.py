import json
from typing import Any

import pytest

from client.event_lines import as_json, line
from schemas.dead_letter import dead_letter
from schemas.errors import BadInput
from schemas.event import Event
from schemas.records import Record
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    TOPICS,
    Topic,
)
from tests.unit.infra_events import conditioning, entry, identification, review_item, samples

FRAME = Record(
    "frames", b"cam-1", b"12345", (("ce_id", b"f1"), ("background", b'{"season": "winter"}'))
)


def topic_of(event: Event) -> Topic:
    return next(topic for topic in TOPICS.values() if topic.event is type(event))


@pytest.mark.parametrize("event", samples(), ids=lambda event: type(event).__name__)
def test_every_event_is_one_line(event: Event) -> None:
    text = line(topic_of(event), event.record("t")).plain
    assert "\n" not in text
    assert len(text) > 20


@pytest.mark.parametrize("event", samples(), ids=lambda event: type(event).__name__)
def test_scripts_get_the_event_itself(event: Event) -> None:
    record = event.record("t")
    assert as_json(topic_of(event), record) == json.loads(record.value or b"")


@pytest.mark.parametrize(
    ("topic", "record", "parts"),
    [
        (
            IDENTIFICATIONS,
            identification(revision=2, decided_by="person").record("t"),
            ("Bella f1 at 0.250 of 0.300", "revision 2 by a person"),
        ),
        (
            HUMAN_REVIEW,
            review_item(distance=None).record("t"),
            ("? f2 beyond_threshold", "nearest Bella"),
        ),
        (GALLERY, entry().record("t"), ("Bella e1 active in winter by ann: enrolled",)),
        (GALLERY, Record("t", b"e1", None), ("e1 erased",)),
        (CONDITIONING, conditioning("file:///c").record("t"), ("main 1 at file:///c by a",)),
        (CONDITIONING, conditioning(None).record("t"), ("main off by a",)),
        (FRAMES, FRAME, ("cam-1/f1, 5 bytes", '{"season": "winter"}')),
        (EMBEDDINGS, Record("t", b"c", b"12345678", (("model", b"m@1"),)), ("2 numbers by m@1",)),
        (
            DEAD_LETTERS,
            dead_letter("t", FRAME, BadInput("truncated", "half a JPEG"), "decode", 1),
            ("truncated f1 in decode: half a JPEG",),
        ),
        (GALLERY, Record("t", b"e1", b"{}"), ("t--1--1 not a GalleryEntry",)),
    ],
)
def test_what_a_line_says(topic: Topic, record: Record, parts: tuple[str, ...]) -> None:
    text = line(topic, record).plain
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("topic", "record", "expected"),
    [
        (GALLERY, Record("t", b"e1", None), {"key": "e1", "erased": True}),
        (DEAD_LETTERS, Record("t", b"f-0-1", None), {"key": "f-0-1", "erased": True}),
        (
            FRAMES,
            FRAME,
            {
                "key": "cam-1",
                "headers": {"ce_id": "f1", "background": '{"season": "winter"}'},
                "bytes": 5,
            },
        ),
        (FRAMES, Record("t", None, None), {"key": "", "headers": {}, "bytes": 0}),
    ],
)
def test_what_scripts_get_of_the_rest(
    topic: Topic, record: Record, expected: dict[str, Any]
) -> None:
    assert as_json(topic, record) == expected


def test_what_cannot_be_read_is_said() -> None:
    found = as_json(GALLERY, Record("t", b"e1", b"{}"))
    assert found["position"] == "t--1--1"
    assert "not a GalleryEntry" in found["error"]
