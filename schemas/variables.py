"""The types of background variable, and what each takes as a value."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.derived import Derivation
from schemas.event import Scalar


class _Variable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Nominal(_Variable):
    """One of a set of names (any name, when ``values`` is empty)."""

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


class Numeric(_Variable):
    """A variable whose values are numbers; it may be derived where it is not sent."""

    derived: Derivation | None = None


class Continuous(Numeric):
    """A number within bounds, both included."""

    type: Literal["continuous"]
    minimum: float = -math.inf
    maximum: float = math.inf

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

    type: Literal["cyclic"]
    period: float = Field(gt=0, allow_inf_nan=False)

    def check(self, value: object) -> Scalar:
        """Return the number wrapped into [0, period)."""
        wrapped = _number(value) % self.period
        # A tiny negative number is rounded up to the period itself: -1e-20 % 24 == 24.
        return wrapped if wrapped < self.period else 0.0


Variable = Annotated[Nominal | Ordinal | Binary | Continuous | Cyclic, Field(discriminator="type")]


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
