"""What a PNG unpacks to, besides its pixels: texts, profiles, and whatever follows the last row.

Source: PNG specification, 3rd edition, sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterable

from schemas.errors import BadInput

MAGIC = b"\x89PNG\r\n\x1a\n"
_PACKED = (b"zTXt", b"iTXt", b"iCCP")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HARMLESS = 2**17  # so few bytes unpack in a moment, whatever they hold
_STEP = 2**20

Chunk = tuple[bytes, int, int]
"""Name, start of the data, length."""


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
