"""What an image file says of itself, read without decoding a pixel or allocating for one.

Sources: PNG specification 3rd edition sections 5 and 11; WebP container specification (RIFF) and
RFC 6386 section 9.1; TIFF 6.0 section 2 for the EXIF block, CIPA DC-008 for its orientation tag.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import simplejpeg

from schemas.errors import BadInput
from workers.images.compressed import MAGIC, scans_of, unburdened

UPRIGHT = 1
_ORIENTATION_TAG = 0x0112
_JPEG_EXIF = re.compile(rb"\xff\xe1..Exif\0\0", re.DOTALL)
_JPEG_EXIF_WITHIN = 2**18
_MAX_CHUNKS = 2**16
_MAX_SCANS = 100
_COEFFICIENTS, _COPY, _ARGB = 6, 3, 4  # bytes a pixel that are held besides the pixels themselves
_OTHERS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\0\0\1\0": "icon",
    b"%PDF": "PDF",
    b"<svg": "SVG",
}


class Format(StrEnum):
    """The formats that are decoded."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"


@dataclass(frozen=True, slots=True)
class Header:
    """Format, stored size in pixels and EXIF orientation (1 to 8, 1 is upright).

    Attributes:
        held: bytes that a decoder holds for each pixel, with the three that it gives.
        passes: how often it passes over the picture.
    """

    format: Format
    width: int
    height: int
    orientation: int
    held: int = 3
    passes: int = 1


def read_header(image: bytes) -> Header:
    """Read the header of a JPEG, PNG or WebP image, told by its magic bytes.

    Raises:
        BadInput: ``empty_image``, ``not_an_image``, ``unsupported_format``, ``animated_image``,
            ``truncated_image`` or ``corrupt_image``.
    """
    if not image:
        raise BadInput("empty_image", "the image has 0 bytes")
    try:
        if image.startswith(b"\xff\xd8\xff"):
            return _jpeg(image)
        if image.startswith(MAGIC):
            return _png(image)
        if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
            return _webp(image)
    except (struct.error, IndexError) as error:
        raise BadInput("truncated_image", "the file ends within its header") from error
    raise _unknown(image)


def unburdened_png(image: bytes) -> bytes:
    """Return what has to be decoded of a PNG; see :func:`workers.images.compressed.unburdened`."""
    return unburdened(image, _chunks(image, len(MAGIC), ">I4s", 4))


def jpeg_problem(image: bytes, error: ValueError) -> BadInput:
    """Return what libjpeg's complaint means: cut short (no end marker), or damaged."""
    ended = image.rstrip(b"\0").endswith(b"\xff\xd9")
    if "Premature" in str(error) or not ended:
        return BadInput("truncated_image", f"the JPEG is cut short: {error}")
    return BadInput("corrupt_image", f"the JPEG is damaged: {error}")


def _jpeg(image: bytes) -> Header:
    scans = scans_of(image)
    # Each scan of a progressive JPEG passes over the whole picture: a small file could cost hours.
    if scans.count > _MAX_SCANS:
        raise BadInput("too_many_scans", f"a JPEG with more than {_MAX_SCANS} scans")
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(image)
    except ValueError as error:
        raise jpeg_problem(image, error) from error
    exif = _JPEG_EXIF.search(image, 0, _JPEG_EXIF_WITHIN)
    orientation = UPRIGHT if exif is None else _orientation(image[exif.end() : exif.end() + 2**16])
    held = 3 + _COEFFICIENTS if scans.held else 3
    return Header(Format.JPEG, width, height, orientation, held, scans.count)


def _png(image: bytes) -> Header:
    width, height = struct.unpack_from(">II", image, 16)
    orientation = UPRIGHT
    for name, start, length in _chunks(image, len(MAGIC), ">I4s", 4):
        if name == b"acTL":
            raise BadInput("animated_image", "an animated PNG; send single frames")
        if name == b"eXIf":
            orientation = _orientation(image[start : start + length])
        if name == b"IEND":
            return Header(Format.PNG, width, height, orientation, 3 + _COPY)
    raise BadInput("truncated_image", "the PNG ends before its IEND chunk")


def _webp(image: bytes) -> Header:
    (size,) = struct.unpack_from("<I", image, 4)
    if len(image) < size + 8:
        raise BadInput("truncated_image", f"the WebP has {len(image)} of {size + 8} bytes")
    kind = image[12:16]
    orientation, held = UPRIGHT, 3 + _COPY
    if kind == b"VP8X":
        if image[20] & 0x02:
            raise BadInput("animated_image", "an animated WebP; send single frames")
        width, height = (1 + int.from_bytes(image[at : at + 3], "little") for at in (24, 27))
        for name, start, length in _chunks(image, 12, "<4sI", 0):
            if name == b"EXIF":
                orientation = _orientation(image[start : start + length])
            if name in (b"VP8L", b"ALPH"):
                held = 3 + _COPY + _ARGB
    elif kind == b"VP8L":
        held = 3 + _COPY + _ARGB
        (bits,) = struct.unpack_from("<I", image, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", image, 26))
    return Header(Format.WEBP, width, height, orientation, held)


def _chunks(image: bytes, at: int, layout: str, checksum: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start, length) of the PNG or RIFF chunks that are there in full."""
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(image):
            return
        first, second = struct.unpack_from(layout, image, at)
        name, length = (first, second) if isinstance(first, bytes) else (second, first)
        if at + 8 + length + checksum > len(image):
            return
        yield name, at + 8, length
        padding = 0 if checksum else length % 2  # RIFF chunks start at even offsets
        at += 8 + length + checksum + padding
    raise BadInput("corrupt_image", f"more than {_MAX_CHUNKS} chunks")


def _orientation(exif: bytes) -> int:
    """Return the orientation in an EXIF block, 1 when there is none that makes sense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = ">" if tiff.startswith(b"MM") else "<"
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG:
                return int(value) if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def _unknown(image: bytes) -> BadInput:
    formats = ", ".join(Format)
    for magic, name in _OTHERS.items():
        if image.startswith(magic):
            return BadInput("unsupported_format", f"{name} is not supported; send {formats}")
    if image[4:8] == b"ftyp":
        return BadInput("unsupported_format", f"HEIC, AVIF or video; send {formats}")
    return BadInput("not_an_image", f"starts with {image[:12]!r}; expected {formats}")
