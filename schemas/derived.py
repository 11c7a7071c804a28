"""Background variables that follow from time and place when they are not sent."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from astral import Observer
from astral.sun import elevation


class Derivation(StrEnum):
    """What can be derived."""

    HOUR = "hour"
    DAY_OF_YEAR = "day_of_year"
    SUN_ELEVATION = "sun_elevation"


@dataclass(frozen=True, slots=True)
class CameraSite:
    """Where the camera stands, in degrees, and its wall clock."""

    latitude: float | None
    longitude: float | None
    zone: tzinfo


def derive(what: Derivation, captured_at: datetime, place: CameraSite) -> float:
    """Return the hour [0, 24), the day of the year [0, 366) or the sun's elevation in degrees.

    Hour and day are those of the place's wall clock; the sun's elevation is the geometric one
    with refraction as ``astral`` computes it.
    """
    local = captured_at.astimezone(place.zone)
    hour = local.hour + local.minute / 60 + local.second / 3600
    if what is Derivation.HOUR:
        return hour
    if what is Derivation.DAY_OF_YEAR:
        return local.timetuple().tm_yday - 1 + hour / 24
    if place.latitude is None or place.longitude is None:
        raise ValueError("the sun's elevation needs a latitude and a longitude")
    return float(elevation(Observer(place.latitude, place.longitude), captured_at))
