"""The quality of pictures whose geometry can be solved by hand."""

import numpy as np
import pytest

from recognition.quality import (
    CLIPPED,
    FREE,
    LARGE,
    MAX_SHARPNESS,
    NOISE,
    SCALE,
    SHARP,
    Grades,
    ImageQuality,
    Luminance,
    measure,
    sharpness,
)

LOW, HIGH = 108, 148
POWER = 20.0**2  # of a picture, half of which is 20 grey levels above the mean


def stripes(width: int) -> Luminance:
    """Upright stripes of two grey levels, each so many pixels wide."""
    row = np.where(np.arange(SCALE) // width % 2, HIGH, LOW)
    return np.tile(row, (SCALE, 1)).astype(np.uint8)


def with_noise(laplacian: float) -> float:
    return laplacian / (POWER + NOISE**2)


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_uniform_grey_is_not_sharp(level: int) -> None:
    assert sharpness(np.full((SCALE, SCALE), level, np.uint8)) == 0


def test_an_even_slope_is_not_sharp() -> None:
    along, across = np.mgrid[:SCALE, :SCALE]
    assert sharpness((along + 2 * across).astype(np.uint8)) == 0


def test_a_chessboard_of_single_pixels_is_as_sharp_as_can_be() -> None:
    along, across = np.indices((SCALE, SCALE))
    board = np.where((along + across) % 2, HIGH, LOW).astype(np.uint8)
    assert sharpness(board) == pytest.approx(with_noise(64 * POWER))
    assert sharpness(board) < MAX_SHARPNESS


def test_stripes_of_one_pixel_have_neighbours_on_two_sides() -> None:
    assert sharpness(stripes(1)) == pytest.approx(with_noise(16 * POWER))


def test_stripes_of_two_pixels_have_one_on_one_side() -> None:
    """Each pixel lies at an edge, whose other side is 40 levels away: the Laplacian is ±40."""
    assert sharpness(stripes(2)) == pytest.approx(with_noise(4 * POWER))


def test_a_single_edge() -> None:
    """Two columns of the 62 that have neighbours lie at it."""
    assert sharpness(stripes(SCALE // 2)) == pytest.approx(with_noise(2 / 62 * 40**2))


def test_wider_stripes_are_less_sharp() -> None:
    values = [sharpness(stripes(width)) for width in (1, 2, 4, 8, 16, 32)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


def test_noise_on_a_wall_counts_less_than_a_picture_of_the_same_detail() -> None:
    rng = np.random.default_rng(7)
    grain = rng.integers(-20, 21, (SCALE, SCALE))
    faint, strong = (np.asarray(128 + grain // part, np.uint8) for part in (20, 1))
    assert sharpness(faint) < sharpness(strong) / 3


def test_the_shares_of_clipped_pixels_are_exact() -> None:
    picture = np.full((SCALE, SCALE), 128, np.uint8)
    picture[:16] = CLIPPED
    picture[16:20] = CLIPPED + 1
    picture[20:28] = 255 - CLIPPED
    picture[28:30] = 254 - CLIPPED
    quality = measure(picture, 100)
    assert (quality.dark, quality.bright, quality.size) == (16 / 64, 8 / 64, 100)


@pytest.mark.parametrize(
    ("quality", "grades"),
    [
        (ImageQuality(SHARP, LARGE, 0, 0), Grades(1, 1, 1)),
        (ImageQuality(MAX_SHARPNESS, 4000, FREE / 2, FREE / 2), Grades(1, 1, 1)),
        (ImageQuality(SHARP / 2, LARGE // 4, 0, 0), Grades(0.5, 0.25, 1)),
        (ImageQuality(0, 0, 1, 0), Grades(0, 0, 0)),
        (ImageQuality(SHARP, LARGE, 0, FREE + (1 - FREE) / 2), Grades(1, 1, 0.5)),
    ],
)
def test_the_reference_points(quality: ImageQuality, grades: Grades) -> None:
    found = quality.grades
    assert (found.sharpness, found.size) == (grades.sharpness, grades.size)
    assert found.exposure == pytest.approx(grades.exposure)


def test_all_three_together() -> None:
    assert Grades(1, 1, 1).overall == 1
    assert Grades(1, 0, 1).overall == 0
    assert Grades(0.3, 0.3, 0.3).overall == pytest.approx(0.3)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((SCALE, SCALE), np.float32),
        np.zeros((SCALE, SCALE, 3), np.uint8),
        np.zeros((2, SCALE), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(picture: Luminance) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        measure(picture, 64)
