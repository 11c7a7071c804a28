"""Regions are measured as they were decoded, at a scale of their own."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from recognition.quality import SCALE, ImageQuality
from schemas.event import Region
from tests.pictures import Pixels, encode, oriented
from workers.images.decode import Limits, prepare
from workers.images.measured import as_told, luminance, prepare_measured

LIMITS = Limits(10**7, 10**7)


def textured(height: int = 480, width: int = 640, blur: float = 12.0) -> Pixels:
    """A picture with detail of one size everywhere."""
    grain = np.random.default_rng(3).normal(size=(height, width, 1)).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), blur)
    levels = 128 + 40 * soft / soft.std()
    return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def quality(image: bytes, size: int, *regions: Region) -> ImageQuality:
    return prepare_measured(image, regions, LIMITS, (size, size))[0].quality


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_models_input_size_does_not_matter(kind: str) -> None:
    image = encode(textured(), kind)
    values = [quality(image, size).sharpness for size in (80, 160, 224, 384)]
    assert max(values) <= 1.1 * min(values)
    assert {quality(image, size).size for size in (16, 224)} == {480}


def test_a_region_is_measured_alike_for_every_model() -> None:
    image, box = encode(textured()), Region(x=100, y=50, width=150, height=90)
    assert quality(image, 16, box) == quality(image, 224, box)
    assert quality(image, 16, box).size == 90


def test_what_lies_outside_the_image_is_no_part_of_its_size() -> None:
    beyond = Region(x=-50, y=0, width=150, height=300)
    assert quality(encode(textured()), 64, beyond).size == 100


def test_a_blurred_image_is_less_sharp() -> None:
    values = [
        quality(encode(textured(blur=deviation)), 224).sharpness for deviation in (12, 24, 48)
    ]
    assert all(sharper > 1.5 * softer for sharper, softer in pairwise(values))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_image_is_as_good(orientation: int) -> None:
    picture = textured(120, 200)
    turned = quality(oriented(picture, orientation, "PNG"), 64)
    assert turned == quality(encode(picture, "PNG"), 64)


def test_the_pixels_are_those_that_are_prepared() -> None:
    image, box = oriented(textured(), 6), Region(x=10, y=20, width=100, height=200)
    for regions in ((), (box,)):
        (measured,) = prepare_measured(image, regions, LIMITS, (96, 160))
        (plain,) = prepare(image, regions, LIMITS, (96, 160))
        assert np.array_equal(measured.pixels, plain)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (64, 64), (127, 127), (255, 129), (999, 130)])
def test_every_shape_is_brought_to_the_scale(shape: tuple[int, int]) -> None:
    grey = luminance(np.full((*shape, 3), 99, np.uint8))
    assert grey.shape == (SCALE, SCALE)
    assert set(np.unique(grey)) == {99}


def test_half_of_an_image_in_the_dark() -> None:
    picture = np.full((256, 256, 3), 128, np.uint8)
    picture[:, :128] = 0
    told = as_told(quality(encode(picture, "PNG"), 224))
    assert (told.dark, told.bright, told.size) == (0.5, 0, 256)
