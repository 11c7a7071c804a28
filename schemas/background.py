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
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from reprlib import repr as short
from typing import Any, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import BadInput, SetupError
from schemas.event import Background, Scalar
from schemas.settings import Settings
from schemas.variables import CameraSite, Derivation, Numeric, Variable, derive


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
    def _sun_needs_place(self) -> Self:
        needs = [n for n, what in self.derived.items() if what is Derivation.SUN_ELEVATION]
        if needs and (self.latitude is None or self.longitude is None):
            raise ValueError(f"{needs[0]} is derived from the sun: give latitude and longitude")
        return self

    @property
    def clock(self) -> ZoneInfo:
        """The time zone by which the cameras' clocks go."""
        return ZoneInfo(self.timezone)

    def complete(self, sent: Mapping[str, Any], captured_at: datetime) -> Background:
        """Check what was sent and add the derived variables that were not.

        Derived values obey the declaration too: they are wrapped, or held against the bounds.

        Raises:
            BadInput: ``unknown_variable`` or ``bad_variable``, naming the variable and the remedy.
        """
        place = CameraSite(self.latitude, self.longitude, self.clock)
        known = dict(sent)
        for name, what in self.derived.items():
            if name not in known:
                known[name] = _derived(name, what, captured_at, place)
        return {name: self._check(name, value) for name, value in known.items()}

    @property
    def derived(self) -> dict[str, Derivation]:
        """What follows from time and place, by the variable that it gives."""
        return {
            name: variable.derived
            for name, variable in self.variables.items()
            if isinstance(variable, Numeric) and variable.derived is not None
        }

    def _check(self, name: str, value: object) -> Scalar:
        variable = self.variables.get(name)
        if variable is None:
            known = ", ".join(self.variables)
            raise BadInput(
                "unknown_variable", f"background {short(name)} is not declared; known: {known}"
            )
        try:
            return variable.check(value)
        except ValueError as error:
            raise BadInput("bad_variable", f"background {name}={short(value)}: {error}") from error


def _derived(name: str, what: Derivation, captured_at: datetime, place: CameraSite) -> float:
    try:
        return derive(what, captured_at, place)
    except OverflowError as error:  # in the place's time zone it lies beyond the years there are
        raise BadInput(
            "bad_variable", f"background {name} cannot be derived from {captured_at.isoformat()}"
        ) from error


def undeclared(sent: Mapping[str, Any]) -> Background:
    """Check a background for which no declaration exists: scalar, finite values only.

    Raises:
        BadInput: ``bad_variable``.
    """
    for name, value in sent.items():
        if not isinstance(value, str | int | float) or not _is_finite(value):
            expected = "expected text, a number or a boolean"
            raise BadInput("bad_variable", f"background {name}={short(value)}: {expected}")
    return dict(sent)


def _is_finite(value: Scalar) -> bool:
    """Tell whether a number fits a float: a longer integer would be no number to the method."""
    try:
        return isinstance(value, str) or math.isfinite(value)
    except OverflowError:
        return False


def declaration_of(settings: Settings) -> Declaration | None:
    """Read the declaration file that the settings name; None where they name none.

    Raises:
        SetupError: as :func:`load_declaration`.
    """
    return None if settings.variables is None else load_declaration(settings.variables)


def clock_of(declaration: Declaration | None) -> tzinfo:
    """Return the time zone by which the cameras' clocks go: the declared one, else UTC."""
    return UTC if declaration is None else declaration.clock


def load_declaration(path: Path) -> Declaration:
    """Read a declaration file.

    Raises:
        SetupError: when it is missing or wrong, saying where.
    """
    try:
        return Declaration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise SetupError(f"background declaration {path}: {error}") from error
