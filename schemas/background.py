"""Background variables: what is known before classification, declared with their type.

A declaration is a YAML file::

    latitude: 50.85
    longitude: 4.35
    timezone: Europe/Brussels
    variables:
      season: {type: nominal, values: [spring, summer, autumn, winter]}
      light: {type: binary, values: [day, night]}
      age: {type: ordinal, values: [calf, yearling, adult]}
      temperature: {type: continuous, minimum: -60, maximum: 60}
      hour: {type: cyclic, period: 24, derived: hour}

Without a declaration every name with a text, number or boolean value is accepted.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas.derived import Derivation, Place, derive
from schemas.errors import BadInput, SetupError
from schemas.event import Background, Scalar


class _Variable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    derived: Derivation | None = None


class Nominal(_Variable):
    """One of a set of names (any name, when ``values`` is empty)."""

    type: Literal["nominal"]
    values: tuple[str, ...] = ()

    def check(self, value: object) -> Scalar:
        """Return the name as text; ValueError says what would have been accepted."""
        if isinstance(value, float) or (self.values and str(value) not in self.values):
            raise ValueError(f"expected one of {', '.join(self.values) or 'names'}")
        return str(value)


class Ordinal(Nominal):
    """One of a list of names that have an order."""

    type: Literal["ordinal"]  # type: ignore[assignment]  # narrows the tag of the union
    values: tuple[str, ...] = Field(min_length=2)


class Binary(Nominal):
    """One of two names; ``false, true`` when none are given."""

    type: Literal["binary"]  # type: ignore[assignment]  # narrows the tag of the union
    values: tuple[str, ...] = Field(("false", "true"), min_length=2, max_length=2)

    def check(self, value: object) -> Scalar:
        """Return the name; booleans and 0/1 stand for the first and second value."""
        if isinstance(value, bool) or value in (0, 1):
            return self.values[int(bool(value))]
        return super().check(value)


class Continuous(_Variable):
    """A number within bounds, both included."""

    type: Literal["continuous"]
    minimum: float = -math.inf
    maximum: float = math.inf

    def check(self, value: object) -> Scalar:
        """Return the number as float."""
        number = _number(value)
        if not self.minimum <= number <= self.maximum:
            raise ValueError(f"expected a number from {self.minimum} to {self.maximum}")
        return number


class Cyclic(_Variable):
    """A number on a circle of the given period, in the same unit (24 h, 360 degrees)."""

    type: Literal["cyclic"]
    period: float = Field(gt=0, allow_inf_nan=False)

    def check(self, value: object) -> Scalar:
        """Return the number wrapped into [0, period)."""
        return _number(value) % self.period


Variable = Annotated[Nominal | Ordinal | Binary | Continuous | Cyclic, Field(discriminator="type")]


class Declaration(BaseModel):
    """The declared variables of a deployment, and where its cameras stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    timezone: str = "UTC"
    variables: dict[str, Variable]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"unknown time zone {name!r}; use a name like Europe/Brussels"
            ) from error
        return name

    @model_validator(mode="after")
    def _sun_needs_place(self) -> "Declaration":
        needs = [n for n, v in self.variables.items() if v.derived == Derivation.SUN_ELEVATION]
        if needs and (self.latitude is None or self.longitude is None):
            raise ValueError(f"{needs[0]} is derived from the sun: give latitude and longitude")
        return self

    def complete(self, sent: Mapping[str, Any], captured_at: datetime) -> Background:
        """Check what was sent and add the derived variables that were not.

        Raises:
            BadInput: ``unknown_variable`` or ``bad_variable``, naming the variable and the remedy.
        """
        background: Background = {}
        for name, value in sent.items():
            background[name] = self._check(name, value)
        place = Place(self.latitude, self.longitude, ZoneInfo(self.timezone))
        for name, variable in self.variables.items():
            if variable.derived is not None and name not in background:
                background[name] = derive(variable.derived, captured_at, place)
        return background

    def _check(self, name: str, value: object) -> Scalar:
        variable = self.variables.get(name)
        if variable is None:
            known = ", ".join(self.variables)
            raise BadInput(
                "unknown_variable", f"background {name!r} is not declared; known: {known}"
            )
        try:
            return variable.check(value)
        except ValueError as error:
            raise BadInput("bad_variable", f"background {name}={value!r}: {error}") from error


def undeclared(sent: Mapping[str, Any]) -> Background:
    """Check a background for which no declaration exists: scalar, finite values only.

    Raises:
        BadInput: ``bad_variable``.
    """
    for name, value in sent.items():
        finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, str | bool | int | float) or not finite:
            raise BadInput(
                "bad_variable", f"background {name}={value!r}: expected text, a number or a boolean"
            )
    return dict(sent)


def load_declaration(path: Path) -> Declaration:
    """Read a declaration file.

    Raises:
        SetupError: when it is missing or wrong, saying where.
    """
    try:
        return Declaration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SetupError(f"background declaration {path}: {error}") from error


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number
