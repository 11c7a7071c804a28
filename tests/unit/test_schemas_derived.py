"""Derived variables against the clock and against published positions of the sun."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from schemas.variables import CameraSite, Derivation, derive

BRUSSELS = CameraSite(50.85, 4.35, ZoneInfo("Europe/Brussels"))


def sun(latitude: float, longitude: float, at: datetime) -> float:
    return derive(Derivation.SUN_ELEVATION, at, CameraSite(latitude, longitude, ZoneInfo("UTC")))


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        (datetime(2025, 1, 1, 11, 30, tzinfo=UTC), 12.5),  # winter time
        (datetime(2025, 7, 1, 11, 30, tzinfo=UTC), 13.5),  # summer time
        (datetime(2025, 1, 1, 22, 59, 59, tzinfo=UTC), 24 - 1 / 3600),
        (datetime(2025, 1, 1, 23, 0, 0, tzinfo=UTC), 0),
        (datetime(2025, 1, 1, 12, 30, tzinfo=timezone(timedelta(hours=1))), 12.5),
    ],
)
def test_the_hour_is_that_of_the_place(at: datetime, hour: float) -> None:
    assert derive(Derivation.HOUR, at, BRUSSELS) == pytest.approx(hour)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 12, 31, 23, 0, tzinfo=UTC), 0),  # midnight of the new year in Brussels
        (datetime(2025, 1, 1, 11, 0, tzinfo=UTC), 0.5),
        (datetime(2025, 3, 1, 11, 0, tzinfo=UTC), 59.5),
        (datetime(2024, 3, 1, 11, 0, tzinfo=UTC), 60.5),  # a leap year
        (datetime(2024, 12, 31, 11, 0, tzinfo=UTC), 365.5),
    ],
)
def test_the_day_of_the_year_begins_at_the_midnight_of_the_place(at: datetime, day: float) -> None:
    assert derive(Derivation.DAY_OF_YEAR, at, BRUSSELS) == pytest.approx(day)


def test_the_sun_stands_where_nrel_says() -> None:
    """Reda and Andreas, *Solar Position Algorithm*, NREL/TP-560-34302 (2008), table A5.1.

    Golden, Colorado, 17 October 2003, 12:30:30 local time (UTC-7): topocentric zenith angle
    50.11162 degrees, refraction included (for 820 mbar; at sea level it is 0.004 more).
    """
    at = datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7)))
    assert sun(39.742476, -105.1786, at) == pytest.approx(90 - 50.11162, abs=0.02)


@pytest.mark.parametrize(
    ("latitude", "at", "elevation"),
    [
        (80, datetime(2025, 6, 21, 12, 2, tzinfo=UTC), 10 + 23.44),  # noon of the solstice
        (80, datetime(2025, 6, 21, 0, 2, tzinfo=UTC), 23.44 - 10),  # the midnight sun
        (-80, datetime(2025, 6, 21, 12, 2, tzinfo=UTC), 10 - 23.44),  # the polar night
        (23.44, datetime(2025, 6, 21, 12, 2, tzinfo=UTC), 90),  # the tropic of Cancer
        (0, datetime(2025, 3, 20, 12, 7, tzinfo=UTC), 90),  # the equinox
    ],
)
def test_the_sun_on_the_days_that_everybody_knows(
    latitude: float, at: datetime, elevation: float
) -> None:
    """The axis of the earth is tilted by 23.44 degrees; sundials go wrong by 2 and 7 minutes."""
    assert sun(latitude, 0, at) == pytest.approx(elevation, abs=0.15)


def test_the_zone_of_the_instant_does_not_move_the_sun() -> None:
    at = datetime(2025, 6, 1, 9, tzinfo=UTC)
    assert sun(50, 4, at.astimezone(ZoneInfo("Asia/Tokyo"))) == sun(50, 4, at)


@pytest.mark.parametrize(("latitude", "longitude"), [(None, 4.35), (50.85, None)])
def test_without_a_place_the_sun_is_unknown(
    latitude: float | None, longitude: float | None
) -> None:
    place = CameraSite(latitude, longitude, ZoneInfo("UTC"))
    with pytest.raises(ValueError, match="latitude"):
        derive(Derivation.SUN_ELEVATION, datetime(2025, 5, 1, tzinfo=UTC), place)
