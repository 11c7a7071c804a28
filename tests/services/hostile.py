"""Frames that no worker should believe: one function a kind, and the reason each must get."""

import json
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from schemas.codec import STRUCTURED
from schemas.records import Headers
from schemas.topics import FRAMES

Kind = Callable[[bytes], tuple[bytes, Headers]]

# Larger than an image may be; with its headers it is still taken by the topic.
LARGEST = FRAMES.max_bytes - 2**12


def _header(name: str, value: str) -> Headers:
    return ((name, value.encode()),)


def truncated(image: bytes) -> tuple[bytes, Headers]:
    return image[: len(image) // 2], ()


def nothing(_: bytes) -> tuple[bytes, Headers]:
    return b"", ()


def text(_: bytes) -> tuple[bytes, Headers]:
    return b"there was no picture today", ()


def huge_png(_: bytes) -> tuple[bytes, Headers]:
    """A PNG of a few hundred bytes that says it is 50,000 x 50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body, ()


def region_outside(image: bytes) -> tuple[bytes, Headers]:
    return image, _header("regions", '[{"x": 9000, "y": 9000, "width": 10, "height": 10}]')


def region_of_no_shape(image: bytes) -> tuple[bytes, Headers]:
    return image, _header("regions", '[{"x": 1, "y": "two"}]')


def nan_background(image: bytes) -> tuple[bytes, Headers]:
    return image, _header("background", '{"temperature": NaN}')


def unknown_variable(image: bytes) -> tuple[bytes, Headers]:
    return image, _header("background", '{"moon": "full"}')


def etc_passwd(_: bytes) -> tuple[bytes, Headers]:
    envelope = {"specversion": "1.0", "data": {"image_uri": "file:///etc/passwd"}}
    return json.dumps(envelope).encode(), _header("content-type", STRUCTURED)


def as_large_as_the_topic_takes(image: bytes) -> tuple[bytes, Headers]:
    return image + bytes(LARGEST - len(image)), ()


REASONS: dict[Kind, str] = {
    truncated: "truncated_image",
    nothing: "empty_frame",
    text: "not_an_image",
    huge_png: "too_many_pixels",
    region_outside: "bad_region",
    region_of_no_shape: "bad_regions",
    nan_background: "bad_background",
    unknown_variable: "unknown_variable",
    etc_passwd: "image_uri_refused",
    as_large_as_the_topic_takes: "too_many_bytes",
}


def photograph(seed: int) -> bytes:
    """Return a JPEG of smooth random colours; the same for the same seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
    done, encoded = cv2.imencode(".jpg", picture)
    assert done
    return bytes(encoded.tobytes())
