"""Properties of the quality of a picture, and its Laplacian against a plain loop."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recognition.quality import (
    CLIPPED,
    MAX_SHARPNESS,
    NOISE,
    SCALE,
    ImageQuality,
    Luminance,
    measure,
    sharpness,
)

sides = st.tuples(st.integers(3, 12), st.integers(3, 12))
pictures = arrays.arrays(np.uint8, sides, elements=st.integers(0, 255))
shares = st.floats(0, 0.5)
measured = st.builds(
    ImageQuality,
    sharpness=st.floats(0, MAX_SHARPNESS),
    size=st.integers(0, 5000),
    dark=shares,
    bright=shares,
)


def plainly(picture: Luminance) -> float:
    """Return the sharpness by loops over pixels."""
    levels = [[int(level) for level in row] for row in picture]
    height, width = picture.shape
    laplacian = [
        levels[y - 1][x] + levels[y + 1][x] + levels[y][x - 1] + levels[y][x + 1] - 4 * levels[y][x]
        for y in range(1, height - 1)
        for x in range(1, width - 1)
    ]
    return float(np.var(laplacian) / (np.var(np.array(levels)) + NOISE**2))


@given(pictures)
def test_the_laplacian_is_that_of_a_plain_loop(picture: Luminance) -> None:
    assert sharpness(picture) == pytest.approx(plainly(picture), rel=1e-9, abs=1e-9)


@given(pictures)
def test_turned_mirrored_or_as_a_negative_it_is_as_good(picture: Luminance) -> None:
    quality = measure(picture, 50)
    for other in (picture[::-1], picture[:, ::-1], picture.T, np.rot90(picture)):
        same = measure(np.ascontiguousarray(other), 50)
        assert same.sharpness == pytest.approx(quality.sharpness)
        assert (same.dark, same.bright) == (quality.dark, quality.bright)
    negative = measure(255 - picture, 50)
    assert negative.sharpness == pytest.approx(quality.sharpness)
    assert (negative.dark, negative.bright) == (quality.bright, quality.dark)


@given(arrays.arrays(np.uint8, sides, elements=st.integers(0, 60)), st.integers(0, 195))
def test_more_light_makes_it_no_sharper(picture: Luminance, light: int) -> None:
    assert sharpness(picture + np.uint8(light)) == pytest.approx(sharpness(picture))


@given(arrays.arrays(np.uint8, sides, elements=st.integers(0, 51)), st.integers(1, 5))
def test_contrast_counts_only_against_noise(picture: Luminance, gain: int) -> None:
    """With gain a: a²L / (a²V + N²), which grows with a from L / (V + N²) to L / V at most."""
    plain, stronger = sharpness(picture), sharpness(picture * np.uint8(gain))
    assert stronger >= plain * (1 - 1e-9)
    assert stronger <= plain * (1 + NOISE**2 / max(float(np.var(picture)), 1e-9)) * (1 + 1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(1.0, 3.0))
def test_blurring_lowers_the_sharpness(seed: int, deviation: float) -> None:
    """Of fields of eight pixels: contrast is left, so that no rounding is what is measured."""
    fields = np.random.default_rng(seed).integers(0, 256, (SCALE // 8, SCALE // 8))
    picture = np.kron(fields, np.ones((8, 8))).astype(np.uint8)
    values = [sharpness(picture)]
    for times in (1, 2):
        blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), times * deviation), np.uint8)
        values.append(sharpness(blurred))
    assert values[0] > values[1] > values[2]


@given(pictures, st.data())
def test_every_pixel_that_is_overexposed_counts(picture: Luminance, data: st.DataObject) -> None:
    lit = data.draw(arrays.arrays(np.bool_, picture.shape))
    inside = np.clip(picture, CLIPPED + 1, 254 - CLIPPED).astype(np.uint8)
    quality = measure(np.where(lit, np.uint8(255), inside), 50)
    assert (quality.bright, quality.dark) == (lit.mean(), 0)


@given(measured, measured)
def test_grades_are_shares_and_monotone(one: ImageQuality, other: ImageQuality) -> None:
    worse = ImageQuality(
        min(one.sharpness, other.sharpness),
        min(one.size, other.size),
        max(one.dark, other.dark),
        max(one.bright, other.bright),
    )
    for quality in (one, other):
        grades = quality.grades
        assert all(0 <= part <= 1 for part in (grades.sharpness, grades.size, grades.exposure))
        assert 0 <= worse.grades.overall <= grades.overall <= 1
