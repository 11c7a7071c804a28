"""Images that cost far more than their bytes."""

import struct
import zlib
from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np

SIDE = 7070
"""Height and width of a JPEG that is just small enough: 50 million pixels."""

SIDES = {".png": 5000, ".webp": 5000, "lossless": 3870, "scans": 4080}
"""The same of formats whose decoders hold more."""

_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
_INFLATED = 2**20


@cache
def photograph(side: int = 240) -> bytes:
    """Return a JPEG of smooth colours."""
    coarse = np.random.default_rng(side).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return _encoded(".jpg", cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


@cache
def flat(suffix: str, *options: int, side: int = SIDE) -> bytes:
    """Return an image of one colour, in the format of the suffix."""
    return _encoded(suffix, np.full((side, side, 3), 90, np.uint8), *options)


def turned(jpeg: bytes, orientation: int = 6) -> bytes:
    """Return the JPEG with an EXIF block that says how it must be turned."""
    tiff = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


@cache
def many_scans(scans: int = 90, side: int = SIDE) -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    image = flat(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1, side=side)
    last = image.rindex(_JPEG_SCAN)
    return image[:last] + image[last:-2] * scans + _JPEG_END


@cache
def texts(chunks: int = 900) -> bytes:
    """Return a small PNG with compressed texts, each of megabytes."""
    text = b"note\0\0" + zlib.compress(bytes(7 * _INFLATED), 9)
    return _png(64, 64, [zlib.compress(bytes(64 * 193))], [(b"zTXt", text)] * chunks)


@cache
def profile() -> bytes:
    """Return a small PNG with a colour profile that says it has 4 GB."""
    head = struct.pack(">I", 2**32 - 1) + bytes(124)
    packed = b"icc\0\0" + zlib.compress(head + bytes(100 * _INFLATED), 9)
    return _png(64, 64, [zlib.compress(bytes(64 * 193))], [(b"iCCP", packed)])


@cache
def endless(size: int = 15 * 2**20) -> bytes:
    """Return a small PNG whose pixels are followed by gigabytes of nothing."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(64 * 193)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(16 * _INFLATED)) + packer.flush(zlib.Z_FULL_FLUSH)
    return _png(64, 64, [first + again * (size // len(again)) + packer.flush()], [])


def _encoded(suffix: str, pixels: object, *options: int) -> bytes:
    done, encoded = cv2.imencode(suffix, pixels, list(options))  # type: ignore[call-overload]
    if not done:
        raise ValueError(f"{suffix} is not written")
    return bytes(encoded.tobytes())


def _png(
    width: int, height: int, data: Iterable[bytes], others: Iterable[tuple[bytes, bytes]]
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = ((b"IDAT", part) for part in data)
    chunks = ((b"IHDR", header), *others, *pixels, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in chunks
    )
