"""From image bytes to upright RGB pixels, and from those to the model's input.

Measured on one core (640x480 JPEG to 224x224): full decode and area averaging 1.74 ms; scaled
decode and bilinear .82 ms.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self, TypeVar

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from schemas.errors import BadInput
from schemas.event import Region
from schemas.settings import Settings
from workers.images.image_header import (
    Format,
    Header,
    jpeg_problem,
    read_header,
    unburdened_png,
)
from workers.model.malloc import give_back

Pixels = NDArray[np.uint8]
T = TypeVar("T")

# EXIF orientation -> what makes it upright (CIPA DC-008, tag 274).
_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = MappingProxyType(
    {
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.swapaxes(0, 1),
        6: lambda image: image[::-1].swapaxes(0, 1),
        7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
        8: lambda image: image[:, ::-1].swapaxes(0, 1),
    }
)
_BACK: Mapping[int, int] = MappingProxyType({6: 8, 8: 6})  # each other one undoes itself
_SIDEWAYS = frozenset({5, 6, 7, 8})
_LARGE = 64 * 2**20
_one_large = threading.Lock()
"""Held while an image of more bytes than that is decoded: the memory for one of them is enough."""

MIN_REGIONS = 8
"""Regions that every image may have, however small it is."""

_SHARE = 4  # of the model's input: a region must find so small a part of it in the image
_PASSES = 5  # times the largest image, in all scans of a JPEG together


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image that is decoded: encoded size in bytes, decoded size in pixels."""

    max_bytes: int
    max_pixels: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of a deployment."""
        return cls(settings.max_image_bytes, settings.max_image_pixels)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One region of an image as it was decoded, or the whole, not resized yet.

    Attributes:
        pixels: (h, w, 3) uint8, RGB, as they are stored: not turned upright.
        orientation: EXIF's, by which they would be.
        short_side: in pixels of the image as it was sent; a JPEG may be decoded smaller.
    """

    pixels: Pixels
    orientation: int
    short_side: int

    def fitted(self, size: tuple[int, int]) -> Pixels:
        """Return it upright and resized, (height, width) being ``size``."""
        lying = size[::-1] if self.orientation in _SIDEWAYS else size
        # Turned last: then only what is left of them has to be.
        return np.ascontiguousarray(_turned(fit(self.pixels, lying), self.orientation))


def prepare(
    image: bytes, regions: Sequence[Region], limits: Limits, size: tuple[int, int]
) -> list[Pixels]:
    """Decode a file into what the model takes: (h, w, 3) for each region, or for the whole.

    Raises:
        BadInput: as ``each_view`` says.
    """
    return each_view(image, regions, limits, size, lambda view: view.fitted(size))


def each_view(
    image: bytes,
    regions: Sequence[Region],
    limits: Limits,
    size: tuple[int, int],
    take: Callable[[View], T],
) -> list[T]:
    """Decode a file, and return what ``take`` makes of each region, or of the whole.

    It must not keep the pixels: of large images one at a time is in memory.

    Raises:
        BadInput: as ``decode`` and ``crop`` say; ``bad_regions`` for more than a small image has
            room for.
    """
    header = _checked_header(image, limits)
    _check_count(header, len(regions), size)
    if header.width * header.height * header.held <= _LARGE:
        return [take(view) for view in _views(image, header, regions, limits, size)]
    with _one_large:
        try:
            return [take(view) for view in _views(image, header, regions, limits, size)]
        finally:
            give_back()


def decode(image: bytes, limits: Limits, *, at_least: int = 0) -> Pixels:
    """Decode a JPEG, PNG or WebP image.

    Grey, 16-bit and CMYK images become 8-bit RGB; transparency is dropped. The EXIF orientation is
    applied. The limits are checked on the header, before anything is allocated.

    Args:
        image: the encoded file.
        limits: what is refused.
        at_least: when above 0, a JPEG may come back smaller, by some eighths (which is faster and
            free of aliasing), no side below this many pixels unless it was so from the start.
            Leave at 0 when coordinates matter.

    Returns:
        (h, w, 3) uint8, RGB, upright.

    Raises:
        BadInput: ``too_many_bytes``, ``too_many_pixels``, or a reason of ``read_header``.
    """
    header = _checked_header(image, limits)
    return np.ascontiguousarray(_turned(_stored(image, header, at_least), header.orientation))


def crop(image: Pixels, region: Region) -> Pixels:
    """Return the view of ``image`` inside ``region``.

    Detectors overshoot the border, so the box is clipped to the image. But at least a quarter of
    its area must lie inside: a box that is mostly outside was drawn on an image of another size.

    Raises:
        BadInput: ``bad_region``.
    """
    height, width = image.shape[:2]
    left, right = _span(region.x, region.width, width)
    top, bottom = _span(region.y, region.height, height)
    inside = max(right - left, 0) * max(bottom - top, 0)
    if inside == 0 or inside < 0.25 * region.width * region.height:
        raise BadInput("bad_region", f"{region!r} does not lie in the {width}x{height} image")
    return image[top:bottom, left:right]


def fit(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize to the model's input, (height, width, 3), ``size`` being (height, width).

    The aspect ratio is not kept: that keeps the whole subject in view and uses all the pixels (on
    holstein2025, rank-1 .356 against .315 for a centre crop and .358 for letterboxing, which
    costs yaleb .014 to .040). Bilinear, except where a side shrinks by more than two, which would
    alias: there pixels are averaged by area, which takes six times as long.
    """
    height, width = size
    aliases = image.shape[0] > 2 * height or image.shape[1] > 2 * width
    interpolation = cv2.INTER_AREA if aliases else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)


def _checked_header(image: bytes, limits: Limits) -> Header:
    if len(image) > limits.max_bytes:
        raise BadInput("too_many_bytes", f"{len(image)} bytes; at most {limits.max_bytes}")
    header = read_header(image)
    _check_size(header, limits)
    return header


def _check_size(header: Header, limits: Limits) -> None:
    """Check what decoding will hold and how long it will take, by the pixels.

    The limit is meant for three bytes a pixel: what holds more of them may have fewer pixels.
    """
    pixels = header.width * header.height
    most = limits.max_pixels * 3 // header.held
    if not 0 < pixels <= most:
        size = f"{header.width}x{header.height} pixels"
        raise BadInput("too_many_pixels", f"{size}; from 1 to {most} in a {_kind(header)}")
    if pixels * header.passes > _PASSES * limits.max_pixels:
        scans = f"{header.passes} scans of {pixels} pixels"
        raise BadInput("too_many_scans", f"{scans}; at most {_PASSES * limits.max_pixels} in all")


def _kind(header: Header) -> str:
    return f"{header.format} that holds {header.held} bytes for each (PERENNIAL_MAX_IMAGE_PIXELS)"


def _views(
    image: bytes,
    header: Header,
    regions: Sequence[Region],
    limits: Limits,
    size: tuple[int, int],
) -> list[View]:
    stored = _stored(image, header, at_least=0 if regions else max(size))
    orientation = header.orientation
    if not regions:
        return [View(stored, orientation, min(header.width, header.height))]
    upright = _turned(stored, orientation)
    cut = [crop(upright, region) for region in regions]
    _check_together(cut, limits)
    back = _BACK.get(orientation, orientation)
    return [View(_turned(pixels, back), orientation, min(pixels.shape[:2])) for pixels in cut]


def _check_count(header: Header, count: int, size: tuple[int, int]) -> None:
    """Check that the image has room for its regions: each costs the model as much as a frame."""
    room = _SHARE * header.width * header.height // (size[0] * size[1])
    most = max(MIN_REGIONS, room)
    if count > most:
        stored = f"{header.width}x{header.height}"
        raise BadInput("bad_regions", f"{count} regions in an image of {stored}; at most {most}")


def _check_together(views: Sequence[Pixels], limits: Limits) -> None:
    """Check what has to be resized: boxes may overlap, each as large as the image."""
    together = sum(view.shape[0] * view.shape[1] for view in views)
    if len(views) > 1 and together > limits.max_pixels:
        limit = f"at most {limits.max_pixels} (PERENNIAL_MAX_IMAGE_PIXELS)"
        raise BadInput("too_many_pixels", f"regions of {together} pixels together; {limit}")


def _stored(image: bytes, header: Header, at_least: int) -> Pixels:
    """Return the pixels as they are stored, not turned yet."""
    return _jpeg(image, at_least) if header.format is Format.JPEG else _png_or_webp(image, header)


def _turned(stored: Pixels, orientation: int) -> Pixels:
    """Return a view of the pixels that is upright."""
    turn = _TURNS.get(orientation)
    return stored if turn is None else turn(stored)


def _jpeg(image: bytes, at_least: int) -> Pixels:
    try:
        return _libjpeg(image, at_least, strict=True)
    except ValueError as error:
        # Webcams pad the end of the scan. All pixels are there, so that alone is forgiven.
        if "extraneous bytes before marker 0xd9" not in str(error):
            raise jpeg_problem(image, error) from error
    return _libjpeg(image, at_least, strict=False)


def _libjpeg(image: bytes, at_least: int, *, strict: bool) -> Pixels:
    pixels: Pixels = simplejpeg.decode_jpeg(
        image, "RGB", min_height=at_least, min_width=at_least, strict=strict
    )
    return pixels


def _png_or_webp(image: bytes, header: Header) -> Pixels:
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    file = unburdened_png(image) if header.format is Format.PNG else image
    try:
        pixels = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    except cv2.error as error:
        raise BadInput("corrupt_image", f"the {header.format} is damaged: {error}") from error
    if pixels is None:
        raise BadInput("corrupt_image", f"the {header.format} is damaged")
    return np.asarray(pixels, np.uint8)


def _span(start: float, length: float, limit: int) -> tuple[int, int]:
    """Return the whole pixels from ``start`` on, clipped to [0, limit]."""
    first, last = (min(max(edge, 0), limit) for edge in (start, start + length))
    return round(first), round(last)
