"""Pictures small enough that a page can hold a thousand."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
import simplejpeg

from lab.images.manifest import ManifestRow
from schemas.errors import BadInput
from schemas.settings import Settings
from workers.images.decode import Limits, Pixels, decode

SIDE: Final = 48
"""Pixels, of the longer side."""

_QUALITY = 72


def thumbnails(
    rows: Sequence[ManifestRow], settings: Settings, on_done: Callable[[], None]
) -> list[str]:
    """Return each image as the base64 of a JPEG; empty where it cannot be read any more."""
    limits = Limits(settings.max_image_bytes, settings.max_image_pixels)
    pictures = []
    for row in rows:
        try:
            pictures.append(_encoded(decode(row.path.read_bytes(), limits, at_least=SIDE)))
        except (BadInput, OSError):
            pictures.append("")
        on_done()
    return pictures


def _encoded(pixels: Pixels) -> str:
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return b64encode(simplejpeg.encode_jpeg(small, quality=_QUALITY)).decode("ascii")
