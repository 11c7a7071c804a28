"""What the model takes of an image, and how good a picture each region of it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from recognition.quality import SCALE, ImageQuality, Luminance, measure
from schemas.event import Region
from schemas.quality import Quality
from workers.images.decode import Limits, Pixels, View, each_view


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The pixels that the model takes, and the quality of what they were made of."""

    pixels: Pixels
    quality: ImageQuality


def prepare_measured(
    image: bytes, regions: Sequence[Region], limits: Limits, size: tuple[int, int]
) -> list[Prepared]:
    """Decode a file as :func:`~workers.images.decode.prepare` does, and measure each region.

    Raises:
        BadInput: as ``each_view`` says.
    """

    def prepared(view: View) -> Prepared:
        return Prepared(view.fitted(size), measure(luminance(view.pixels), view.short_side))

    return each_view(image, regions, limits, size, prepared)


def as_told(quality: ImageQuality) -> Quality:
    """Return what travels of it; more digits than these would be noise."""
    return Quality(
        sharpness=round(quality.sharpness, 4),
        size=quality.size,
        dark=round(quality.dark, 4),
        bright=round(quality.bright, 4),
        overall=round(quality.grades.overall, 4),
    )


def luminance(pixels: Pixels) -> Luminance:
    """Bring (h, w, 3) uint8, RGB, to the luma of the scale at which quality is measured.

    Sides are halved as long as that leaves enough, which takes a sixth of the time that averaging
    by area in one step would; the last row or column of an odd one is left out there.
    """
    while min(pixels.shape[:2]) >= 2 * SCALE:
        height, width = (side // 2 for side in pixels.shape[:2])
        even = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    interpolation = cv2.INTER_AREA if max(grey.shape) > SCALE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (SCALE, SCALE), interpolation=interpolation), np.uint8)
