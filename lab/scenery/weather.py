"""The year: sun, temperature, weather, leaves and snow at any moment of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from lab.scenery.palette import LOOKS

Season = Literal["spring", "summer", "autumn", "winter"]
Weather = Literal["clear", "overcast", "fog", "rain", "snowfall"]

_SKIES: Final[tuple[Weather, ...]] = ("clear", "overcast", "fog", "rain")
_SEASONS: Final[tuple[Season, ...]] = ("winter", "spring", "summer", "autumn")
_LATITUDE: Final = np.radians(47.0)
_SLOT: Final = timedelta(hours=6)  # the weather holds this long

# Day of year -> the look in full; between two days they blend.
_LEAVES: Final = (
    (0, "bare"), (105, "bare"), (122, "spring"), (145, "spring"), (172, "summer"), (240, "summer"),
    (275, "autumn"), (298, "autumn"), (318, "bare"), (366, "bare"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what a frame is taken.

    ``elevation`` of the sun in degrees; ``snow`` lying, 0 to 1; ``leaves``: two looks of the year,
    as indices, and how far it has gone from the first to the second.
    """

    moment: datetime
    season: Season
    hour: float
    elevation: float
    weather: Weather
    snow: float
    leaves: tuple[int, int, float]

    @property
    def night(self) -> bool:
        """Whether the camera has switched to infra-red."""
        return self.elevation < -3

    @property
    def side(self) -> float:
        """Where the sun stands: -1 left (until six in the morning) to 1 right (from six)."""
        return min(max((self.hour - 12) / 6, -1.0), 1.0)


def season_of(moment: datetime) -> Season:
    """The meteorological season (whole months, northern hemisphere)."""
    return _SEASONS[moment.month % 12 // 3]


def hour_of(moment: datetime) -> float:
    """Hours since midnight."""
    return moment.hour + moment.minute / 60 + moment.second / 3600


def sun_elevation(moment: datetime) -> float:
    """Degrees above the horizon, by the usual declination formula (to about a degree)."""
    day = moment.timetuple().tm_yday
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (day + 10) / 365.25)
    turn = np.radians(15 * (hour_of(moment) - 12))
    sine = np.sin(_LATITUDE) * np.sin(declination)
    sine += np.cos(_LATITUDE) * np.cos(declination) * np.cos(turn)
    return float(np.degrees(np.arcsin(sine)))


def _leaves(moment: datetime) -> tuple[int, int, float]:
    """The two looks that the moment lies between, and how far it has gone to the second."""
    day = moment.timetuple().tm_yday
    for (start, look), (end, following) in pairwise(_LEAVES):
        if start <= day <= end:
            return LOOKS.index(look), LOOKS.index(following), (day - start) / (end - start)
    raise ValueError(f"no such day of the year: {day}")


def _slots(start: datetime, seed: int) -> Iterator[tuple[Weather, float]]:
    """The weather and the snow lying, slot by slot: what falls in frost stays until it thaws."""
    rng = np.random.default_rng([seed, 2**31])
    weather: Weather = "clear"
    snow, warmth = 0.9, 0.0  # the year begins at the end of a winter
    for slot in range(int(timedelta(days=367) / _SLOT)):
        day = (start + slot * _SLOT).timetuple().tm_yday
        warmth = 0.85 * warmth + rng.normal(0, 1.6)
        temperature = 7 - 11 * float(np.cos(2 * np.pi * (day - 20) / 365)) + warmth
        if rng.random() < 0.55:
            weather = _SKIES[int(rng.choice(4, p=[0.45, 0.22, 0.13, 0.2]))]
        if weather in ("rain", "snowfall"):
            weather = "snowfall" if temperature < 0.5 else "rain"
        snow += 0.3 * (weather == "snowfall") - 0.02 * max(temperature, 0) - 0.002
        snow = min(max(snow, 0.0), 1.0)
        yield weather, snow


class Year:
    """The weather of one year from ``start``, the same for a seed."""

    def __init__(self, start: datetime, seed: int) -> None:
        self._start = start
        self._slots = list(_slots(start, seed))

    def at(self, moment: datetime) -> Conditions:
        """The conditions at a moment within the year."""
        weather, snow = self._slots[int((moment - self._start) / _SLOT)]
        return Conditions(
            moment=moment,
            season=season_of(moment),
            hour=hour_of(moment),
            elevation=sun_elevation(moment),
            weather=weather,
            snow=snow,
            leaves=_leaves(moment),
        )
