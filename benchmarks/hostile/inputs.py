"""The worst that anybody may publish, topic by topic, and the reason why it is refused."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from benchmarks.hostile import batches, images
from schemas.codec import STRUCTURED, frame_headers
from schemas.embedding import Embedding
from schemas.event import now
from schemas.gallery import Enrol, GalleryCommand
from schemas.recognition_event import ReviewDecision, ReviewItem, ReviewReason
from schemas.records import Headers, Record
from schemas.topics import (
    EMBEDDINGS,
    FRAMES,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
    Topic,
)

_MIB = 2**20
_LARGEST = FRAMES.max_bytes - 2**12
_BOX = {"x": 0, "y": 0, "width": 240, "height": 240}


@dataclass(frozen=True, slots=True)
class Hostile:
    """One input.

    Attributes:
        name: what it is.
        topic: that it is put on.
        reason: of its dead letter; None where it is taken for what it says.
        make: the record, or the bytes of a whole batch.
    """

    name: str
    topic: Topic
    reason: str | None
    make: Callable[[], Record | bytes]


def good(topic: Topic, number: int) -> Record:
    """Return a record of the topic that must be processed; its event is ``good-<number>``."""
    name = f"good-{number}"
    if topic is FRAMES:
        return frame(images.photograph(), ce_id=name.encode())
    if topic is EMBEDDINGS:
        return _embedding(name).record("")
    if topic is REVIEW_DECISIONS:
        return ReviewDecision(item=_item(name), identity="Bella", actor="bench").record("")
    return GalleryCommand(
        command_id=name, identity="Bella", actor="bench", reason="x", action=Enrol.of(_item(name))
    ).record("")


def frame(image: bytes, **headers: bytes) -> Record:
    """Return a frame; headers replace those that it has."""
    usual = frame_headers("hostile", "cam", None, {}, "image/jpeg")
    given: Headers = tuple((name.replace("content_", "content-"), v) for name, v in headers.items())
    kept = tuple(header for header in usual if header[0] not in dict(given))
    return Record("", b"cam", image, kept + given)


def _structured(text: bytes) -> Record:
    return frame(text, content_type=STRUCTURED.encode())


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


def _all_over(image: bytes, side: int, count: int) -> Record:
    return frame(image, regions=_text([{**_BOX, "width": side, "height": side}] * count))


def _embedding(name: str, size: int = 8, **changes: Any) -> Embedding:
    vector = np.full(size, size**-0.5, np.float32)
    known: dict[str, Any] = {
        "event_id": name, "source": "cam", "captured_at": now(), "background": {}, "region": None,
        "vector": vector, "model": "hostile@0", "timings_ms": {},
    }  # fmt: skip
    return Embedding(**{**known, **changes})


def _item(name: str) -> ReviewItem:
    return ReviewItem(
        event_id=name,
        source="cam",
        captured_at=now(),
        background={},
        cluster=None,
        model="hostile@0",
        gallery_position=-1,
        reason=ReviewReason.GALLERY_EMPTY,
        vector=_embedding(name).vector,
    )


def _changed(topic: Topic, changes: bytes) -> Record:
    """Return a good event with more JSON in it."""
    record = good(topic, 0)
    return Record("", b"cam", (record.value or b"")[:-1] + b"," + changes + b"}", record.headers)


def _header(name: str, value: bytes) -> Record:
    record = _embedding("hostile").record("")
    kept = tuple(header for header in record.headers if header[0] != name)
    return Record("", b"cam", record.value, (*kept, (name, value)))


def _keys(count: int) -> bytes:
    return b",".join(b'"k%06d":0' % n for n in range(count))


FRAME_INPUTS: Sequence[Hostile] = (
    Hostile("gzip bomb of 700 MiB", FRAMES, "unreadable_batch", lambda: batches.bomb(700 * _MIB)),
    Hostile("12 million headers", FRAMES, "too_many_headers", lambda: batches.flood(12_000_000)),
    Hostile("100,000 headers", FRAMES, "too_many_headers", lambda: batches.flood(100_000)),
    Hostile(
        "regions of 4.3 MiB", FRAMES, "bad_regions",
        lambda: frame(images.photograph(), regions=_text([_BOX] * 95_000)),
    ),
    Hostile(
        "regions, structured, 23 MiB", FRAMES, "too_many_values",
        lambda: _structured(b'{"regions":[' + b"0," * (11 * _MIB) + b"0]}"),
    ),
    Hostile(
        "nested 23 MiB deep", FRAMES, "too_many_values", lambda: _structured(b"[" * (23 * _MIB))
    ),
    Hostile(
        "text of 23 MiB with a cow", FRAMES, "no_image",
        lambda: _structured(b'{"data":"' + b"x" * (23 * _MIB) + "🐄".encode() + b'"}'),
    ),
    Hostile(
        "background of 2.7 MiB, 32 regions", FRAMES, "bad_background",
        lambda: frame(
            images.photograph(),
            regions=_text([_BOX] * 32),
            background=_text({"a": "x" * 2_800_000}),
        ),
    ),
    Hostile(
        "background, structured, 20 MiB", FRAMES, "bad_background",
        lambda: _structured(
            b'{"data_base64":"eA==","background":{"a":"' + b"x" * (20 * _MIB) + b'"}}'
        ),
    ),
    Hostile(
        "32 regions, all of 50 megapixels", FRAMES, "too_many_pixels",
        lambda: _all_over(images.flat(".jpg"), images.SIDE, 32),
    ),
    Hostile(
        "50 megapixels, turned, one region", FRAMES, None,
        lambda: _all_over(images.turned(images.flat(".jpg")), images.SIDE, 1),
    ),
    Hostile(
        "32 regions of a small image", FRAMES, "bad_regions",
        lambda: _all_over(images.photograph(), 240, 32),
    ),
    Hostile(
        "8 regions of a small image", FRAMES, None, lambda: _all_over(images.photograph(), 240, 8)
    ),
    Hostile("PNG of 25 megapixels", FRAMES, None, lambda: frame(images.flat(".png", side=5000))),
    Hostile(
        "WebP of 25 megapixels", FRAMES, None,
        lambda: frame(images.flat(".webp", cv2.IMWRITE_WEBP_QUALITY, 50, side=5000)),
    ),
    Hostile(
        "WebP without loss, 15 megapixels", FRAMES, None,
        lambda: frame(images.flat(".webp", cv2.IMWRITE_WEBP_QUALITY, 101, side=3870)),
    ),
    Hostile(
        "JPEG of 90 scans", FRAMES, "too_many_scans", lambda: frame(images.many_scans(90, 4080))
    ),
    Hostile("PNG with 6 GB of texts", FRAMES, None, lambda: frame(images.texts())),
    Hostile("PNG with 15 GB of pixels", FRAMES, "corrupt_image", lambda: frame(images.endless())),
    Hostile(
        "as large as the topic takes", FRAMES, "too_many_bytes",
        lambda: frame(images.photograph() + bytes(_LARGEST - len(images.photograph()))),
    ),
    Hostile(
        "key of 1 MiB", FRAMES, "bad_source",
        lambda: Record("", b"k" * _MIB, images.photograph(), ()),
    ),
)  # fmt: skip

EVENT_INPUTS: Sequence[Hostile] = (
    Hostile(
        "background of 1.9 MiB", EMBEDDINGS, "too_many_values",
        lambda: _header("background", b"{" + _keys(150_000) + b"}"),
    ),
    Hostile(
        "wrong timings, 4,000 of them", EMBEDDINGS, "bad_embedding",
        lambda: _header("timings", b"{" + _keys(4_000).replace(b":0", b":[]") + b"}"),
    ),
    Hostile(
        "vector of 500,000 numbers", EMBEDDINGS, "bad_vector",
        lambda: _embedding("hostile", 500_000).record(""),
    ),
    Hostile(
        "decision of 1.7 MiB", REVIEW_DECISIONS, "too_many_values",
        lambda: _changed(REVIEW_DECISIONS, _keys(150_000)),
    ),
    Hostile(
        "decision of 9,000 mistakes", REVIEW_DECISIONS, "bad_event",
        lambda: _changed(REVIEW_DECISIONS, _keys(9_000)),
    ),
    Hostile(
        "decision of one long text", REVIEW_DECISIONS, "bad_event",
        lambda: _changed(REVIEW_DECISIONS, b'"' + b"k" * 1_800_000 + b'":0'),
    ),
    Hostile(
        "gzip bomb of 400 MiB", REVIEW_DECISIONS, "unreadable_batch",
        lambda: batches.bomb(400 * _MIB),
    ),
    Hostile(
        "command of 1.9 MiB", GALLERY_COMMANDS, "too_many_values",
        lambda: _changed(GALLERY_COMMANDS, _keys(150_000)),
    ),
    Hostile(
        "900,000 headers", GALLERY_COMMANDS, "too_many_headers", lambda: batches.flood(900_000)
    ),
)  # fmt: skip

# It does what it says, 32 times: its cost is that of 32 frames, their batches included.
HONEST = Hostile(
    "32 regions, 1 megapixel",
    FRAMES,
    None,
    lambda: _all_over(images.photograph(1000), 1000, 32),
)

INPUTS: Sequence[Hostile] = (*FRAME_INPUTS, *EVENT_INPUTS, HONEST)
