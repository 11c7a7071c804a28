"""Degrades images as a detector that missed does, or a lens out of focus."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lab.images.manifest import ManifestRow
from schemas.errors import BadInput
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, decode

KEPT: Final = (0.45, 0.7)
"""The share of width and height that an off-centre crop keeps."""

BLUR: Final = (0.02, 0.05)
"""The deviation of the blur, as a share of the shorter side."""


def degrade_images(
    rows: Sequence[ManifestRow], share: float, seed: int, folder: Path, settings: Settings
) -> list[ManifestRow]:
    """Return the rows, a random ``share`` of them with poor images, which lie in ``folder``.

    Half of the poor ones are cropped off their centre, the others blurred. An image that cannot be
    read stays as it is. The same seed gives the same images; with a larger share, more of them.
    """
    draws = np.random.default_rng([seed, 1]).random(len(rows))
    limits = Limits(settings.max_image_bytes, settings.max_image_pixels)
    images: list[ManifestRow] = []
    for number, row in enumerate(rows):
        path = folder / f"{number}.png"
        degraded = draws[number] < share and _degrade(row.path, path, limits, [seed, 1, number])
        images.append(replace(row, path=path) if degraded else row)
    return images


def degrade_image(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an (h, w, 3) image cropped off its centre, or blurred."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:
        deviation = rng.uniform(*BLUR) * min(height, width)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(deviation, 0.5)), np.uint8)
    rows, columns = _window(height, rng), _window(width, rng)
    return image[rows, columns]


def _window(length: int, rng: np.random.Generator) -> slice:
    """Return a part of a side that begins or ends where the side does."""
    kept = max(1, round(rng.uniform(*KEPT) * length))
    return slice(0, kept) if rng.random() < 0.5 else slice(length - kept, length)


def _degrade(source: Path, target: Path, limits: Limits, seed: Sequence[int]) -> bool:
    try:
        image = decode(source.read_bytes(), limits)
    except (BadInput, OSError):
        return False
    degraded = degrade_image(image, np.random.default_rng(seed))
    return cv2.imwrite(str(target), cv2.cvtColor(degraded, cv2.COLOR_RGB2BGR))
