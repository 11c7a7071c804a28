"""Encoded images for tests, made on the spot."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

Pixels = NDArray[np.uint8]

RED, GREEN, BLUE, WHITE = (200, 20, 20), (20, 200, 20), (20, 20, 200), (235, 235, 235)


def quarters(width: int = 64, height: int = 48) -> Pixels:
    """Red and green above, blue and white below: every turn and mirroring shows."""
    image = np.empty((height, width, 3), np.uint8)
    upper, left = slice(0, height // 2), slice(0, width // 2)
    lower, right = slice(height // 2, None), slice(width // 2, None)
    image[upper, left], image[upper, right] = RED, GREEN
    image[lower, left], image[lower, right] = BLUE, WHITE
    return image


def encode(image: Pixels, kind: str = "JPEG", **options: object) -> bytes:
    """Encode with Pillow, an encoder that the product does not use."""
    return save(Image.fromarray(image), kind, **options)


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    """Save a Pillow image to bytes."""
    if kind == "JPEG":
        options = {"quality": 95, "subsampling": 0, **options}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(image: Pixels, orientation: int, kind: str = "JPEG") -> bytes:
    """Encode as it is stored, with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(image, kind, exif=exif)


def photograph(kind: str = "JPEG", **tags: str) -> bytes:
    """Encode with EXIF tags by the names of the standard, as a camera writes them."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "a camera"  # without one of its own Pillow writes no block
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base[name].value: value for name, value in tags.items()}
    )
    return encode(quarters(), kind, exif=exif)
