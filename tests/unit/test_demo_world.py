"""The rendered year: the same for a seed, in order, complete, and of places that stay."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from lab.scenery.camera import photograph
from lab.scenery.paint import paint
from lab.scenery.place import survey
from lab.scenery.weather import (
    Conditions,
    Weather,
    Year,
    hour_of,
    season_of,
    sun_elevation,
)
from lab.scenery.world import WorldFrame, render_year

SEED: Final = 7
YEAR: Final = Year(datetime(2025, 3, 1, tzinfo=UTC), SEED)
SUMMER: Final = datetime(2025, 7, 10, 11, tzinfo=UTC)
WINTER: Final = datetime(2026, 1, 20, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def year() -> list[WorldFrame]:
    return list(render_year(frames=300, places=5, seed=SEED))


def pixels(image: bytes) -> NDArray[np.int16]:
    return np.asarray(simplejpeg.decode_jpeg(image), np.int16)


def conditions(moment: datetime, weather: Weather, snow: float) -> Conditions:
    leaves = YEAR.at(moment).leaves
    elevation = sun_elevation(moment)
    return Conditions(moment, season_of(moment), hour_of(moment), elevation, weather, snow, leaves)


def test_same_seed_gives_the_same_frames_and_another_seed_others() -> None:
    first, again, other = (list(render_year(6, 2, seed)) for seed in (3, 3, 4))
    assert first == again
    assert all(a.image != b.image for a, b in zip(first, other, strict=True))


def test_frames_come_in_time_order_within_one_year_that_starts_in_spring(
    year: list[WorldFrame],
) -> None:
    assert len(year) == 300
    assert all(a.captured_at <= b.captured_at for a, b in pairwise(year))
    assert year[0].background["season"] == "spring"
    assert all(frame.captured_at.tzinfo is UTC for frame in year)
    assert timedelta(days=360) < year[-1].captured_at - year[0].captured_at <= timedelta(days=366)


def test_ids_are_unique_and_stable(year: list[WorldFrame]) -> None:
    assert len({frame.id for frame in year}) == len(year)
    assert year[123].id == "trail-000123"


def test_images_are_jpeg_of_320_by_240(year: list[WorldFrame]) -> None:
    for frame in year[::20]:
        assert simplejpeg.is_jpeg(frame.image)
        assert pixels(frame.image).shape == (240, 320, 3)


def test_background_agrees_with_the_time_of_capture(year: list[WorldFrame]) -> None:
    for frame in year:
        at = frame.captured_at
        assert frame.background["season"] == season_of(at)
        assert frame.background["hour"] == pytest.approx(hour_of(at), abs=0.01)
        assert frame.background["light"] == ("night" if sun_elevation(at) < -3 else "day")


def test_every_place_is_seen_in_every_season_light_and_weather(year: list[WorldFrame]) -> None:
    for variable, values in (("season", 4), ("light", 2), ("weather", 5)):
        assert len({(frame.label, frame.background[variable]) for frame in year}) == 5 * values


def test_a_place_appears_later_in_the_year(year: list[WorldFrame]) -> None:
    first: dict[str, int] = {}
    for number, frame in enumerate(year):
        first.setdefault(frame.label, number)
    *start, late = sorted(first.values())
    assert max(start) < 10
    assert 60 <= late < 80


def test_night_is_grey_and_day_is_not(year: list[WorldFrame]) -> None:
    for frame in year:
        colourful = np.ptp(pixels(frame.image), axis=2).mean()
        assert colourful < 1 if frame.background["light"] == "night" else colourful > 3


def test_winter_is_whiter_than_summer() -> None:
    place = survey(0, SEED)
    painting, rng = paint(place), np.random.default_rng(0)
    summer = pixels(photograph(place, painting, conditions(SUMMER, "clear", 0.0), rng))
    winter = pixels(photograph(place, painting, conditions(WINTER, "clear", 1.0), rng))
    foot = slice(180, 240)
    assert winter[foot].mean() > summer[foot].mean() + 50


def outlines(image: bytes) -> NDArray[np.float32]:
    """(240, 320) how strong the edges are, a little blurred."""
    grey = cv2.cvtColor(pixels(image).astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32)
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.GaussianBlur(np.sqrt(np.hypot(x, y)), (0, 0), 3), np.float32)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The correlation of the outlines where they fit best, up to 24 pixels apart."""
    return float(cv2.matchTemplate(one, other[24:-24, 24:-24], cv2.TM_CCOEFF_NORMED).max())


def test_a_place_keeps_its_geometry_from_summer_to_snow() -> None:
    summer: list[NDArray[np.float32]] = []
    winter: list[NDArray[np.float32]] = []
    for index in range(8):
        place, rng = survey(index, SEED), np.random.default_rng(index)
        painting = paint(place)
        for views, now in (
            (summer, conditions(SUMMER, "clear", 0.0)),
            (winter, conditions(WINTER, "overcast", 0.9)),
        ):
            views.append(outlines(photograph(place, painting, now, rng)))
    table = np.array([[likeness(one, other) for other in winter] for one in summer])
    assert (table.argmax(axis=1) == np.arange(8)).sum() >= 7
    assert np.diag(table).mean() > table[~np.eye(8, dtype=bool)].mean() + 0.2


def test_place_names_are_unique_beyond_the_list() -> None:
    names = [survey(index, SEED).name for index in (*range(30), 48, 72)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("frames", "places"), [(0, 4), (4, 0), (-1, 4)])
def test_nothing_to_render_is_an_error(frames: int, places: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(render_year(frames, places))


def test_sun_stands_highest_at_midsummer_noon() -> None:
    assert sun_elevation(datetime(2025, 6, 21, 12, tzinfo=UTC)) == pytest.approx(66.4, abs=0.5)
    assert sun_elevation(datetime(2025, 12, 21, 12, tzinfo=UTC)) == pytest.approx(19.6, abs=0.5)
    assert sun_elevation(datetime(2025, 6, 21, 0, tzinfo=UTC)) < -10
