"""Taking a picture: viewpoint, sun and sky or infra-red flash, falling water, the sensor, JPEG.

Pictures here are float32 planes, (3, h, w) in 0-1; maps are (h, w).
"""

from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
import simplejpeg

from lab.scenery.paint import HEIGHT, WIDTH, Painting, Pixels
from lab.scenery.palette import LEAFLESS, LOOKS
from lab.scenery.place import Place
from lab.scenery.shapes import Floats, Rng
from lab.scenery.weather import Conditions

VIEW: Final = (320, 240)
_QUALITY: Final = 88
# Deviations of the viewpoint: shift (share of the canvas), zoom, roll (radians), tilt (pixels).
_SHIFT, _ZOOM, _ROLL, _TILT = 0.024, 0.036, 0.024, 3.0
_NOISE: Final = {True: 0.025, False: 0.012}  # of the sensor, by night and by day
_SHEET: Final = (600, 800)  # of noise or rain, from which frames cut a window

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
    ground: Floats
    shadow: Floats


def _viewpoint(rng: Rng) -> Floats:
    """A 3 x 3 homography from canvas to view: small shift, zoom, roll and tilt."""
    frame = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * np.array(VIEW, np.float32)
    centre = np.array([WIDTH, HEIGHT]) * (0.5 + _SHIFT * rng.standard_normal(2).clip(-2, 2))
    zoom, roll = 1 + _ZOOM * rng.standard_normal(), _ROLL * rng.standard_normal()
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]]) / zoom
    seen = centre + (frame - frame.mean(axis=0)) @ turn + _TILT * rng.standard_normal((4, 2))
    return np.asarray(cv2.getPerspectiveTransform(seen.astype(np.float32), frame), np.float32)


def _shadows(place: Place, now: Conditions) -> Pixels:
    """(H, W) 255 where an object keeps the sun from the ground."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    length = 0.35 / np.tan(np.radians(max(now.elevation, 8)))
    for x, y, half, height in place.standing:
        reach = min(height * length, 0.6)
        tip_x, tip_y, tip = x - now.side * reach, y + 0.25 * reach, 0.7 * half
        quad = [(x - half, y), (x + half, y), (tip_x + tip, tip_y), (tip_x - tip, tip_y)]
        cv2.fillConvexPoly(mask, np.round(np.array(quad) * HEIGHT).astype(np.int32), (255,))
    return np.asarray(cv2.blur(mask, (7, 5)), np.uint8)


def _appearance(painting: Painting, now: Conditions) -> tuple[Pixels, Pixels]:
    """The look and the maps of the day: leaves turning, snow lying."""
    first, second, share = now.leaves
    look = cv2.addWeighted(painting.looks[first], 1 - share, painting.looks[second], share, 0)
    lying = min(max(3 * now.snow - 0.7, 0.0), 1.0)
    look = cv2.addWeighted(look, 1 - lying, painting.looks[LOOKS.index("snow")], lying, 0)
    leafy = sum(w for i, w in ((first, 1 - share), (second, share)) if LOOKS[i] not in LEAFLESS)
    maps = cv2.addWeighted(painting.maps[0], 1 - leafy, painting.maps[1], leafy, 0)
    return np.asarray(look, np.uint8), np.asarray(maps, np.uint8)


def _planes(image: Pixels, homography: Floats) -> Floats:
    """(channels, h, w) in 0-1 as seen from the viewpoint."""
    seen = cv2.warpPerspective(image, homography, VIEW, borderMode=cv2.BORDER_REPLICATE)
    return np.stack(cv2.split(seen)).astype(np.float32) / np.float32(255)


@cache
def _noise_sheet(blur: float = 0.0) -> Floats:
    noise = np.random.default_rng(3).standard_normal(_SHEET).astype(np.float32)
    if blur:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur), np.float32)
    return np.asarray(noise / noise.std(), np.float32)


@cache
def _falling_sheet(weather: str) -> Floats:
    """How much of each pixel a drop or flake covers, 0 to 1."""
    rng, sheet = np.random.default_rng(5), np.zeros(_SHEET, np.uint8)
    for x, y, reach, bright in rng.integers((0, 0, 6, 50), (800, 600, 16, 130), (1400, 4)).tolist():
        if weather == "rain":
            cv2.line(sheet, (x, y), (x - reach // 4, y + reach), (bright,), 1, cv2.LINE_AA)
        else:
            cv2.circle(sheet, (x, y), 1 + reach // 6, (2 * bright,), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.7), np.float32) / np.float32(255)


def _window(rng: Rng, sheet: Floats) -> Floats:
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
    grey = _mix((0.82, 0.84, 0.86), (0.74, 0.73, 0.76), low)
    down = np.linspace(0, 1.8, VIEW[1], dtype=np.float32).clip(0, 1)[:, None]
    clouds = _window(rng, _noise_sheet(16.0)) * 0.3 + _CLOUD[now.weather]
    cover = np.clip(clouds, 0, 1)
    return np.asarray(zenith + (skyline - zenith) * down * (1 - cover) + (grey - zenith) * cover)


def _daylight(scene: Scene, now: Conditions, rng: Rng) -> Floats:
    """Light of the sun and of the sky, and air between."""
    low, dusk = 1 - _ramp(now.elevation, 0, 25), 1 - _ramp(now.elevation, -3, 6)
    direct = _SUN[now.weather] * _ramp(now.elevation, -2, 8)
    sunlit = 0.85 * (1 - 0.8 * scene.shadow * scene.ground) * direct
    skylight = 0.5 + 0.28 * (1 - direct) - 0.22 * dusk
    warm = _mix((0.64, 0.6, 0.55), (0.72, 0.5, 0.3), low)
    cool = _mix((0.96, 1.0, 1.08), (0.98, 0.97, 1.06), low)
    picture = scene.colour * (warm * sunlit + cool * skylight)

    heavens = _heavens(now, rng) * (1 - 0.25 * dusk)
    haze = heavens.mean(axis=(1, 2), keepdims=True)
    clear = np.exp(-_AIR[now.weather] * rng.uniform(0.7, 1.3) * scene.depth * np.sqrt(scene.depth))
    if now.weather == "fog":
        heavens = haze + (heavens - haze) * 0.15
    air = haze * ((1 - clear) * (1 - scene.sky))
    return np.asarray(picture * clear + air + heavens * scene.sky, np.float32)


def _infrared(scene: Scene, now: Conditions, rng: Rng) -> Floats:
    """A flash beside the lens: grey, bright near, dark far, leaves pale, sky black."""
    red, green, blue = scene.colour
    grey = 0.45 * red + 0.5 * green + 0.05 * blue
    y, x = np.mgrid[-1 : 1 : VIEW[1] * 1j, -1 : 1 : VIEW[0] * 1j].astype(np.float32)
    flash = np.exp(-1.1 * scene.depth) * (1.2 - 0.42 * (x * x + y * y)) * rng.uniform(0.95, 1.25)
    clear = np.exp(-0.5 * _AIR[now.weather] * scene.depth)
    lit = (0.03 + grey * clear + 0.3 * (1 - clear) * (1 - scene.sky)) * flash
    return np.broadcast_to(lit, (3, *lit.shape))


def photograph(place: Place, painting: Painting, now: Conditions, rng: Rng) -> bytes:
    """One frame as JPEG, 320 x 240; about 2 ms."""
    look, maps = _appearance(painting, now)
    if not now.night:
        maps[..., 2] = _shadows(place, now)
    viewpoint = _viewpoint(rng)
    seen = _planes(look, viewpoint)
    scene = Scene(seen[:3], seen[3], *_planes(maps, viewpoint))
    picture = (_infrared if now.night else _daylight)(scene, now, rng)
    if now.weather in ("rain", "snowfall"):
        thick = np.float32(0.3 if now.night else 1.0)  # the flash reaches only the nearest
        picture = picture + (0.9 - picture) * _window(rng, _falling_sheet(now.weather)) * thick
    picture = picture + _window(rng, _noise_sheet()) * np.float32(_NOISE[now.night])
    pixels = np.clip(picture * 255, 0, 255).astype(np.uint8)
    image = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
    return bytes(simplejpeg.encode_jpeg(image, quality=_QUALITY, colorspace="RGB"))
