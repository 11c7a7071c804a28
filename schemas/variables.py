"""The types of background variable: how each is written, and what it takes as a value."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from astral import Observer
from astral.sun import elevation
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.event import Scalar


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


class _Variable(BaseModel):
    """A type; as a word it is written ``type`` or ``type(arguments)``, such as ``example``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    example: ClassVar[str]

    @staticmethod
    def fields_of(arguments: Sequence[str]) -> dict[str, object]:
        """Return the fields that the arguments of a word stand for; None where one is lacking."""
        return {"values": arguments} if arguments else {}


class Nominal(_Variable):
    """One of a set of names (any name, when ``values`` is empty)."""

    example: ClassVar[str] = "season:nominal"
    type: Literal["nominal"]
    values: tuple[str, ...] = ()

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("a name is given twice")
        return values

    def check(self, value: object) -> Scalar:
        """Return the name as text; ValueError says what would have been accepted."""
        if not isinstance(value, str | int) or (self.values and str(value) not in self.values):
            raise ValueError(f"expected one of {', '.join(self.values) or 'names'}")
        return str(value)


class Ordinal(Nominal):
    """One of a list of names that have an order."""

    example: ClassVar[str] = "age:ordinal(calf,yearling,adult)"
    type: Literal["ordinal"]  # type: ignore[assignment]  # narrows the tag of the union
    values: tuple[str, ...] = Field(min_length=2)


class Binary(Nominal):
    """One of two names; ``false, true`` when none are given."""

    example: ClassVar[str] = "light:binary(day,night)"
    type: Literal["binary"]  # type: ignore[assignment]  # narrows the tag of the union
    values: tuple[str, ...] = Field(("false", "true"), min_length=2, max_length=2)

    def check(self, value: object) -> Scalar:
        """Return the name; booleans and 0/1 stand for the first and second value."""
        if isinstance(value, bool) or value in (0, 1):
            return self.values[int(bool(value))]
        return super().check(value)


class Numeric(_Variable):
    """A variable whose values are numbers; it may be derived where it is not sent."""

    derived: Derivation | None = None


class Continuous(Numeric):
    """A number within bounds, both included."""

    example: ClassVar[str] = "temperature:continuous"
    type: Literal["continuous"]
    minimum: float = -math.inf
    maximum: float = math.inf

    @staticmethod
    def fields_of(arguments: Sequence[str]) -> dict[str, object]:
        """Return both bounds, or none."""
        bounds = arguments if len(arguments) == 2 else (None, None)
        return dict(zip(("minimum", "maximum"), bounds, strict=True)) if arguments else {}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.minimum < self.maximum:  # also catches NaN
            raise ValueError("minimum must be a number below maximum")
        return self

    def check(self, value: object) -> Scalar:
        """Return the number as float."""
        number = _number(value)
        if not self.minimum <= number <= self.maximum:
            raise ValueError(f"expected a number from {self.minimum} to {self.maximum}")
        return number


class Cyclic(Numeric):
    """A number on a circle of the given period, in the same unit (24 h, 360 degrees)."""

    example: ClassVar[str] = "hour:cyclic(24)"
    type: Literal["cyclic"]
    period: float = Field(gt=0, allow_inf_nan=False)

    @staticmethod
    def fields_of(arguments: Sequence[str]) -> dict[str, object]:
        """Return the period."""
        return {"period": arguments[0] if len(arguments) == 1 else None}

    def check(self, value: object) -> Scalar:
        """Return the number wrapped into [0, period)."""
        wrapped = _number(value) % self.period
        # A tiny negative number is rounded up to the period itself: -1e-20 % 24 == 24.
        return wrapped if wrapped < self.period else 0.0


Variable = Annotated[Nominal | Ordinal | Binary | Continuous | Cyclic, Field(discriminator="type")]

TYPES: Mapping[str, type[Nominal] | type[Continuous] | type[Cyclic]] = MappingProxyType(
    {
        "nominal": Nominal,
        "binary": Binary,
        "ordinal": Ordinal,
        "continuous": Continuous,
        "cyclic": Cyclic,
    }
)
"""The types by their tags."""


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number
