"""Painting a place once in each look of the year, with the maps that light and fog need."""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.scenery.palette import LEAFLESS, LOOKS, PALETTE
from lab.scenery.place import Place
from lab.scenery.shapes import GROUND, Floats, Shape

Pixels = NDArray[np.uint8]
Outline = NDArray[np.int32]
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
    (2, H, W, 4), without and with leaves: depth (0 near, 255 skyline), relief (128 flat, above:
    faces right), ground, and an empty channel for the shadows of the hour. ``thaw`` is (H, W) in
    0-1: how long snow lies there.
    """

    looks: Pixels
    maps: Pixels
    thaw: Floats


class Traced(NamedTuple):
    """A shape and its outline in the oversampled canvas's subpixels, (n, 2) int32."""

    shape: Shape
    outline: Outline


def _trace(place: Place) -> list[Traced]:
    return [
        Traced(shape, np.rint(shape.outline * _SCALE).astype(np.int32)) for shape in place.shapes
    ]


def _fill(canvas: Pixels, outline: Outline, colour: tuple[float, ...]) -> None:
    cv2.fillPoly(canvas, [outline], colour, cv2.LINE_8, _SUBPIXEL)


def _blank(*colour: int) -> Pixels:
    canvas = np.empty((HEIGHT * _OVERSAMPLE, WIDTH * _OVERSAMPLE, len(colour)), np.uint8)
    canvas[:] = colour
    return canvas


def _shrink(canvas: Pixels) -> Pixels:
    return np.asarray(cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _paint_look(traced: list[Traced], look: int) -> Pixels:
    """(H, W, 4): the colours, and the sky showing through."""
    name, canvas = LOOKS[look], _blank(0, 0, 0, 255)
    for shape, outline in traced:
        if shape.when == "leaf" and name in LEAFLESS:
            continue
        if shape.cap and name == "snow":
            raised = outline - np.array([0, round(shape.cap * _SCALE)], np.int32)
            _fill(canvas, raised, (*PALETTE["snow"][look], 0))
        tone = 1 + (shape.tone - 1) * (0.4 if name == "snow" and shape.depth == GROUND else 1)
        red, green, blue = PALETTE[shape.material][look]
        _fill(
            canvas,
            outline,
            (min(red * tone, 255), min(green * tone, 255), min(blue * tone, 255), 0),
        )
    return _shrink(canvas)


def _paint_maps(traced: list[Traced], horizon: float, *, leafy: bool) -> Pixels:
    """(H, W, 4): depth, relief, ground, nothing."""
    canvas = _blank(255, 0, 0)  # depth, bulk, ground
    for shape, outline in traced:
        if shape.depth == GROUND:
            _fill(canvas, outline, (0, 0, 255))
        elif leafy or shape.when == "always":
            _fill(canvas, outline, (255 * shape.depth, 255 * (1 - 0.6 * shape.depth), 0))
    depth, bulk, ground = cv2.split(_shrink(canvas))
    recede = np.interp(np.arange(HEIGHT) / HEIGHT, [horizon, 1], [0.7, 0.05])
    depth = depth + np.asarray(ground * recede[:, None], np.uint8)
    bulky = cv2.GaussianBlur(bulk, (0, 0), 2.2).astype(np.float32)
    relief = np.clip(128 - (bulky - np.roll(bulky, 3, axis=1)) * 1.6, 0, 255).astype(np.uint8)
    return np.dstack([depth, relief, ground, np.zeros_like(ground)])


@cache
def cloth(size: int = 256) -> Floats:
    """(size, size) tileable noise of several octaves, zero mean, unit deviation."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) / frequency**0.8).real
    return np.asarray(field / field.std(), np.float32)


def _weave(place: Place) -> Floats:
    """(H, W) noise lying on the ground in perspective, zero mean."""
    stretch = _GRAIN[place.ground][1]
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / HEIGHT
    away = np.maximum(y - place.horizon + 0.06, 0.02)
    shift = np.float32(np.random.default_rng(place.seed).uniform(0, 256))
    across, along = ((x - 0.66) / away * 55 / stretch + shift) % 256, (30 / away + shift) % 256
    return np.asarray(
        cv2.remap(cloth(), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32
    )


def paint(place: Place) -> Painting:
    """Paint the place; about 40 ms, once."""
    traced = _trace(place)
    bare, leafy = (_paint_maps(traced, place.horizon, leafy=leafy) for leafy in (False, True))
    maps = np.stack([bare, leafy])
    weave, grain = _weave(place), 1 + 0.035 * np.resize(cloth(), (HEIGHT, WIDTH))
    strength = maps[0, ..., 2] / np.float32(255) * 0.4 * _GRAIN[place.ground][0]
    looks = np.stack([_paint_look(traced, look) for look in range(len(LOOKS))])
    for look, name in zip(looks, LOOKS, strict=True):
        texture = (1 + strength * weave * (0.3 if name == "snow" else 1)) * grain
        look[..., :3] = np.clip(look[..., :3] * texture[..., None], 0, 255)
    patches = np.where(maps[0, ..., 2] > 127, weave, np.resize(cloth(), (HEIGHT, WIDTH)))
    thaw = np.clip(0.5 + 0.22 * patches, 0, 1)
    return Painting(looks, maps, np.asarray(thaw, np.float32))
