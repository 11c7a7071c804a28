"""Light and air: a painted scene by day, under any sky, or at night under the infra-red flash.

Pictures here are float32 planes, (3, h, w) in 0-1; maps are (h, w).
"""

from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from lab.scenery.shapes import Floats
from lab.scenery.weather import Conditions

Rng = np.random.Generator
VIEW: Final = (320, 240)

# Optical thickness of the air as far as the skyline; sunlight that arrives direct; cloud.
_AIR: Final = {"clear": 0.25, "overcast": 0.4, "fog": 2.3, "rain": 0.9, "snowfall": 1.2}
_SUN: Final = {"clear": 1.0, "overcast": 0.15, "fog": 0.1, "rain": 0.08, "snowfall": 0.1}
_CLOUD: Final = {"clear": -0.15, "overcast": 1.0, "fog": 1.2, "rain": 1.3, "snowfall": 1.3}


class Scene(NamedTuple):
    """What the camera faces: colours (3, h, w), and maps (h, w), all 0-1 (see ``Painting``).

    The colours are premultiplied: black where the sky shows, so that edges and half-bare crowns
    blend into any sky.
    """

    colour: Floats
    sky: Floats
    depth: Floats
    relief: Floats
    ground: Floats
    shadow: Floats


@cache
def noise_sheet(blur: float = 0.0) -> Floats:
    """(600, 800) noise, unit deviation, from which frames cut a ``window``."""
    noise = np.random.default_rng(3).standard_normal((600, 800)).astype(np.float32)
    if blur:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur), np.float32)
    return np.asarray(noise / noise.std(), np.float32)


def window(rng: Rng, sheet: Floats) -> Floats:
    """A random part of a sheet, as large as the view."""
    x, y = rng.integers(0, sheet.shape[1] - VIEW[0]), rng.integers(0, sheet.shape[0] - VIEW[1])
    return sheet[y : y + VIEW[1], x : x + VIEW[0]]


def _mix(first: tuple[float, ...], second: tuple[float, ...], share: float) -> Floats:
    """A colour between two, (3, 1, 1)."""
    colour = np.array(first) * (1 - share) + np.array(second) * share
    return np.asarray(colour[:, None, None], np.float32)


def _ramp(value: float, start: float, end: float) -> float:
    """0 at ``start``, 1 at ``end``, straight between."""
    return float(np.clip((value - start) / (end - start), 0, 1))


def _heavens(now: Conditions, rng: Rng) -> Floats:
    """The sky: blue above, glowing near a low sun, clouds."""
    low = 1 - _ramp(now.elevation, 0, 16)
    zenith = _mix((0.36, 0.58, 0.86), (0.46, 0.52, 0.72), low)
    skyline = _mix((0.8, 0.88, 0.94), (1.0, 0.8, 0.56), low)
    down = np.linspace(0, 1.8, VIEW[1], dtype=np.float32).clip(0, 1)[:, None]
    clouds = window(rng, noise_sheet(16.0)) * 0.3 + _CLOUD[now.weather]
    cover = np.clip(clouds, 0, 1)
    grey = _mix((0.96, 0.96, 0.97), (0.98, 0.85, 0.8), low)
    if now.weather != "clear":
        grey = _mix((0.8, 0.82, 0.84), (0.72, 0.71, 0.74), low) * (1 + 0.06 * (clouds - 0.5))
    return np.asarray(zenith + (skyline - zenith) * down * (1 - cover) + (grey - zenith) * cover)


def daylight(scene: Scene, now: Conditions, rng: Rng) -> Floats:
    """Sun from one side, light from the sky, air between."""
    low, dusk = 1 - _ramp(now.elevation, 0, 25), 1 - _ramp(now.elevation, -3, 6)
    direct = _SUN[now.weather] * _ramp(now.elevation, -2, 8)
    facing = np.clip(0.85 + now.side * (scene.relief - 0.5) * 2.2, 0.1, 1.7)
    sunlit = facing * (1 - 0.8 * scene.shadow * scene.ground) * direct
    skylight = 0.5 + 0.28 * (1 - direct) - 0.22 * dusk
    warm = _mix((0.64, 0.6, 0.55), (0.72, 0.5, 0.3), low)
    cool = _mix((0.96, 1.0, 1.08), (0.98, 0.97, 1.06), low)
    picture = scene.colour * (warm * sunlit + cool * skylight)

    heavens = _heavens(now, rng) * (1 - 0.25 * dusk)
    haze = heavens.mean(axis=(1, 2), keepdims=True)
    clear = np.exp(-_AIR[now.weather] * rng.uniform(0.7, 1.3) * scene.depth * np.sqrt(scene.depth))
    picture = picture * clear + haze * ((1 - clear) * (1 - scene.sky))
    if now.weather == "fog":
        heavens = haze + (heavens - haze) * 0.15
    return np.asarray(picture + heavens * scene.sky, np.float32)


@cache
def _vignette() -> Floats:
    y, x = np.mgrid[-1 : 1 : VIEW[1] * 1j, -1 : 1 : VIEW[0] * 1j].astype(np.float32)
    return np.asarray(1.2 - 0.42 * (x * x + y * y), np.float32)


def infrared(scene: Scene, now: Conditions, rng: Rng) -> Floats:
    """A flash beside the lens: grey, bright near, dark far, leaves pale, sky black."""
    red, green, blue = scene.colour
    grey = 0.45 * red + 0.5 * green + 0.05 * blue
    flash = np.exp(-1.1 * scene.depth) * _vignette() * rng.uniform(0.95, 1.25)
    clear = np.exp(-0.5 * _AIR[now.weather] * scene.depth)
    lit = (0.03 + grey * clear + 0.3 * (1 - clear) * (1 - scene.sky)) * flash
    return np.broadcast_to(lit, (3, *lit.shape))
