"""Painting a place once in each look of the year, with the maps that light and fog need."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.scenery.palette import LEAFLESS, LOOKS, PALETTE
from lab.scenery.place import Place
from lab.scenery.shapes import GROUND, Floats, Shape

Pixels = NDArray[np.uint8]
HEIGHT: Final = 288
WIDTH: Final = 384
_OVERSAMPLE: Final = 2
_SUBPIXEL: Final = 4  # bits after the binary point that OpenCV takes
_SCALE: Final = HEIGHT * _OVERSAMPLE * 2**_SUBPIXEL

# How strongly each ground is mottled, and how long its mottles are across the view.
_GRAIN: Final = {
    "meadow": (0.2, 1.0),
    "heath": (0.32, 2.5),
    "needles": (0.25, 0.6),
    "scree": (0.42, 0.8),
    "sand": (0.12, 4.0),
}


@dataclass(frozen=True, slots=True)
class Painting:
    """A place in all its looks, each map uint8.

    ``looks`` is (5, H, W, 4): red, green, blue, and how much of the pixel is sky. ``maps`` is
    (2, H, W, 3), without and with leaves: depth (0 near, 255 skyline), ground, and an empty channel
    for the shadows of the hour.
    """

    looks: Pixels
    maps: Pixels


def _fill(canvas: Pixels, shape: Shape, colour: tuple[float, ...], raised: float = 0.0) -> None:
    """Fill a shape, moved up by ``raised`` canvas units."""
    outline = np.rint((shape.outline - [0, raised]) * _SCALE).astype(np.int32)
    cv2.fillPoly(canvas, [outline], colour, cv2.LINE_8, _SUBPIXEL)


def _canvas(*colour: int) -> Pixels:
    return np.tile(np.array(colour, np.uint8), (HEIGHT * _OVERSAMPLE, WIDTH * _OVERSAMPLE, 1))


def _shrink(canvas: Pixels) -> Pixels:
    return np.asarray(cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _paint_look(place: Place, look: int) -> Pixels:
    """(H, W, 4): the colours, and the sky showing through."""
    name, canvas = LOOKS[look], _canvas(0, 0, 0, 255)
    for shape in place.shapes:
        if shape.leaf and name in LEAFLESS:
            continue
        if shape.cap and name == "snow":
            _fill(canvas, shape, (*PALETTE["snow"][look], 0), shape.cap)
        tone = 1 + (shape.tone - 1) * (0.4 if name == "snow" and shape.depth == GROUND else 1)
        red, green, blue = (min(part * tone, 255) for part in PALETTE[shape.material][look])
        _fill(canvas, shape, (red, green, blue, 0))
    return _shrink(canvas)


def _paint_maps(place: Place, *, leafy: bool) -> Pixels:
    """(H, W, 3): depth, ground, nothing."""
    canvas = _canvas(255, 0, 0)
    for shape in place.shapes:
        if shape.depth == GROUND:
            _fill(canvas, shape, (0, 255, 0))
        elif leafy or not shape.leaf:
            _fill(canvas, shape, (255 * shape.depth, 0, 0))
    maps = _shrink(canvas)
    recede = np.interp(np.arange(HEIGHT) / HEIGHT, [place.horizon, 1], [0.7, 0.05])
    maps[..., 0] += np.asarray(maps[..., 1] * recede[:, None], np.uint8)
    return maps


@cache
def cloth() -> Floats:
    """(256, 256) tileable noise of several octaves, zero mean, unit deviation."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    frequency[0, 0] = np.inf
    white = np.random.default_rng(0).standard_normal((256, 256))
    field = np.fft.ifft2(np.fft.fft2(white) / frequency**0.8).real
    return np.asarray(field / field.std(), np.float32)


def _weave(place: Place) -> Floats:
    """(H, W) noise lying on the ground in perspective, zero mean."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / HEIGHT
    away = np.maximum(y - place.horizon + 0.06, 0.02)
    shift = np.float32(np.random.default_rng(place.seed).uniform(0, 256))
    across = ((x - 0.66) / away * 55 / _GRAIN[place.ground][1] + shift) % 256
    along = (30 / away + shift) % 256
    wrap = cv2.BORDER_WRAP
    return np.asarray(cv2.remap(cloth(), across, along, cv2.INTER_LINEAR, borderMode=wrap))


def paint(place: Place) -> Painting:
    """Paint the place; about 40 ms, once."""
    maps = np.stack([_paint_maps(place, leafy=leafy) for leafy in (False, True)])
    looks = np.stack([_paint_look(place, look) for look in range(len(LOOKS))])
    mottles = maps[0, ..., 1] / np.float32(255) * 0.4 * _GRAIN[place.ground][0] * _weave(place)
    grain = 1 + 0.035 * np.resize(cloth(), (HEIGHT, WIDTH))
    for look, name in zip(looks, LOOKS, strict=True):
        texture = (1 + mottles * (0.3 if name == "snow" else 1)) * grain
        look[..., :3] = np.clip(look[..., :3] * texture[..., None], 0, 255)
    return Painting(looks, maps)
