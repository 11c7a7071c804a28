"""Taking a picture: viewpoint, shadows of the hour, falling water, the sensor, JPEG."""

from functools import cache
from typing import Final

import cv2
import numpy as np
import simplejpeg

from lab.scenery.light import VIEW, Rng, Scene, daylight, infrared, noise_sheet, window
from lab.scenery.paint import HEIGHT, WIDTH, Painting, Pixels
from lab.scenery.palette import LEAFLESS, LOOKS
from lab.scenery.place import Place
from lab.scenery.shapes import Floats
from lab.scenery.weather import Conditions

_QUALITY: Final = 88
# Deviations of the viewpoint: shift (share of the canvas), zoom, roll (radians), tilt (pixels).
_SHIFT, _ZOOM, _ROLL, _TILT = 0.024, 0.036, 0.024, 3.0
_NOISE: Final = {True: 0.025, False: 0.012}  # of the sensor, by night and by day


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
        tip_x, tip_y = x - now.side * reach, y + 0.25 * reach
        tip = 0.7 * half
        quad = [(x - half, y), (x + half, y), (tip_x + tip, tip_y), (tip_x - tip, tip_y)]
        outline = np.round(np.array(quad) * HEIGHT).astype(np.int32)
        cv2.fillConvexPoly(mask, outline, (255,))
    return np.asarray(cv2.blur(mask, (7, 5)), np.uint8)


def _appearance(painting: Painting, now: Conditions) -> tuple[Pixels, Pixels]:
    """The look and the maps of the day: leaves turning, snow lying in patches."""
    first, second, share = now.leaves
    look = cv2.addWeighted(painting.looks[first], 1 - share, painting.looks[second], share, 0)
    if now.snow > 0:
        lying = np.clip((now.snow * 1.5 - painting.thaw) * 4, 0, 1)
        look = cv2.blendLinear(painting.looks[LOOKS.index("snow")], look, lying, 1 - lying)
    leafy = sum(w for i, w in ((first, 1 - share), (second, share)) if LOOKS[i] not in LEAFLESS)
    maps = cv2.addWeighted(painting.maps[0], 1 - leafy, painting.maps[1], leafy, 0)
    return np.asarray(look, np.uint8), np.asarray(maps, np.uint8)


def _planes(image: Pixels, homography: Floats) -> Floats:
    """(4, h, w) in 0-1 as seen from the viewpoint."""
    seen = cv2.warpPerspective(image, homography, VIEW, borderMode=cv2.BORDER_REPLICATE)
    return np.stack(cv2.split(seen)).astype(np.float32) / np.float32(255)


@cache
def _falling_sheet(weather: str) -> Floats:
    """(600, 800) how much of each pixel a drop or flake covers, 0 to 1."""
    rng, sheet = np.random.default_rng(5), np.zeros((600, 800), np.uint8)
    for x, y, reach, bright in rng.integers((0, 0, 6, 50), (800, 600, 16, 130), (1400, 4)).tolist():
        if weather == "rain":
            cv2.line(sheet, (x, y), (x - reach // 4, y + reach), (bright,), 1, cv2.LINE_AA)
        else:
            cv2.circle(sheet, (x, y), 1 + reach // 6, (2 * bright,), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(sheet, (0, 0), 0.7), np.float32) / np.float32(255)


def photograph(place: Place, painting: Painting, now: Conditions, rng: Rng) -> bytes:
    """One frame as JPEG, 320 x 240; about 2 ms."""
    look, maps = _appearance(painting, now)
    if not now.night:
        maps[..., 3] = _shadows(place, now)
    viewpoint = _viewpoint(rng)
    seen = _planes(look, viewpoint)
    scene = Scene(seen[:3], seen[3], *_planes(maps, viewpoint))
    picture = infrared(scene, now, rng) if now.night else daylight(scene, now, rng)
    if now.weather in ("rain", "snowfall"):
        thick = np.float32(0.3 if now.night else 1.0)  # the flash reaches only the nearest
        picture = picture + (0.9 - picture) * window(rng, _falling_sheet(now.weather)) * thick
    picture = picture + window(rng, noise_sheet()) * np.float32(_NOISE[now.night])
    pixels = np.clip(picture * 255, 0, 255).astype(np.uint8)
    image = cv2.merge([np.ascontiguousarray(plane) for plane in pixels])
    return bytes(simplejpeg.encode_jpeg(image, quality=_QUALITY, colorspace="RGB"))
