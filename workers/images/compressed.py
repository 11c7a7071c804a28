"""What a JPEG or PNG would cost to decode, told from its bytes alone."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import BadInput

_SCAN, _PROGRESSIVE = 0xDA, frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that no length follows
_MAX_SEGMENTS = 10_000
MAGIC = b"\x89PNG\r\n\x1a\n"
_PACKED = (b"zTXt", b"iTXt", b"iCCP")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HARMLESS = 2**17  # so few bytes unpack in a moment, whatever they hold
_STEP = 2**20

Chunk = tuple[bytes, int, int]
"""Name, start of the data, length."""


@dataclass(frozen=True, slots=True)
class Scans:
    """The scans of a JPEG.

    Attributes:
        count: how often its decoder passes over the picture.
        held: whether the coefficients of the whole picture are held meanwhile.
    """

    count: int
    held: bool


ONE_PASS = Scans(1, held=False)


def scans_of(image: bytes) -> Scans:
    """Return the scans; those of a thumbnail within the file do not count.

    Raises:
        IndexError: the file ends within its segments.
    """
    place, components, progressive = 2, 0, False
    for _ in range(_MAX_SEGMENTS):
        if image[place] != 0xFF:
            return ONE_PASS  # the decoder will say what is wrong with it
        kind = image[place + 1]
        if kind in _BARE or kind == 0xFF:
            place += 1 if kind == 0xFF else 2
            continue
        if kind in _FRAMES:
            progressive, components = kind in _PROGRESSIVE, image[place + 9]
        if kind == _SCAN:
            held = progressive or image[place + 4] < components
            return Scans(image.count(b"\xff\xda", place), held=True) if held else ONE_PASS
        place += 2 + int.from_bytes(image[place + 2 : place + 4])
    return ONE_PASS


def unburdened(image: bytes, chunks: Iterable[Chunk]) -> bytes:
    """Return a PNG without what tells nothing of a pixel and may unpack to gigabytes.

    Each compressed text and colour profile may have megabytes, and a decoder unpacks them all; it
    also unpacks the stream of the pixels to its end, wherever the last row was.

    Raises:
        BadInput: ``corrupt_image`` where the stream has far more than the rows.
    """
    parts, kept, stream = [], 0, []
    for name, start, length in chunks:
        if name in _PACKED:
            parts.append(image[kept : start - 8])
            kept = start + length + 4
        if name == b"IDAT":
            stream.append((start, length))
    if sum(length for _, length in stream) > _HARMLESS:
        _check_stream(image, stream)
    return b"".join((*parts, image[kept:])) if parts else image


def _check_stream(image: bytes, stream: Iterable[tuple[int, int]]) -> None:
    room = 2 * _rows(image) + _STEP  # twice, generously: interlaced ones have a little more
    inflating = zlib.decompressobj()
    for start, length in stream:
        rest = image[start : start + length]
        while rest and not inflating.eof:
            try:
                room -= len(inflating.decompress(rest, _STEP))
            except zlib.error:
                return  # the decoder will say so
            if room < 0:
                raise BadInput("corrupt_image", "the PNG unpacks to far more than its pixels")
            rest = inflating.unconsumed_tail


def _rows(image: bytes) -> int:
    """Return the bytes of all rows, unpacked."""
    width, height, depth, color = struct.unpack_from(">IIBB", image, 16)
    return int(height * (1 + (width * depth * _CHANNELS.get(color, 4) + 7) // 8))
