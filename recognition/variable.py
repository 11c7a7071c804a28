"""One background variable: its kind, and how a value of it becomes columns of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LARGEST_Z = 3.0  # robust standard deviations: beyond it a value is odd, and as odd as any other
Scalar = str | bool | int | float


def is_missing(value: object) -> bool:
    """Tell whether there is no value: None, empty text or NaN."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and not value)


def is_number(value: object) -> bool:
    """Tell whether a value is a number by its type; true and false are names."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_text(value: Scalar) -> str:
    """Return a value as a name; 1, 1.0 and "1" are one.

    >>> [as_text(value) for value in (1, 1.0, "1", 1.5, True)]
    ['1', '1', '1', '1.5', 'true']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def text_of(value: Scalar | None) -> str:
    """Return a value as a name; empty where there is none."""
    return "" if value is None or is_missing(value) else as_text(value)


def as_number(value: object) -> float | None:
    """Return a finite number, also one written as text; None for anything else.

    >>> [as_number(value) for value in (7, "7.5", True, "seven", "inf", None)]
    [7.0, 7.5, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # no number; an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def names_of(values: Sequence[Scalar]) -> tuple[str, ...]:
    """Return the different values as names, in order: by size where all are numbers.

    >>> names_of([10, 9.0, 9]), names_of(["10", "9"])
    (('9', '10'), ('10', '9'))
    """
    by_size = all(is_number(value) for value in values)
    return tuple(sorted({as_text(value) for value in values}, key=float if by_size else None))


class Kind(StrEnum):
    """How the values of a variable relate to each other."""

    NOMINAL = "nominal"
    BINARY = "binary"
    ORDINAL = "ordinal"
    CONTINUOUS = "continuous"
    CYCLIC = "cyclic"


NAMED = (Kind.NOMINAL, Kind.BINARY, Kind.ORDINAL)
"""The kinds whose values are names, and not numbers."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A background variable with what was learned of its values.

    Attributes:
        name: under which a background holds its value.
        kind: names (nominal, binary, ordinal) or numbers (continuous, cyclic).
        values: the names, two or more, an ordinal's in their order; empty for numbers.
        period: of a cyclic variable, in its unit (24 h, 360 degrees); None otherwise.
        centre: median of a continuous variable, in its unit.
        scale: robust standard deviation of a continuous variable, in its unit.
        spread: root mean squared distance of two rows of the fit data, before the weight. Columns
            are divided by it: two rows drawn at random then differ by 1 in the mean square,
            whatever the kind, and the weight alone says how much a variable counts.
        weight: the saliency, above zero, which squared distances are multiplied by.

    Raises:
        ValueError: a field does not fit the kind; the message names it.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    period: float | None = None
    centre: float = 0.0
    scale: float = 1.0
    spread: float = 1.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        self._require("values", self._values_fit())
        self._require("period", self._period_fits())
        self._require("centre", math.isfinite(self.centre))
        for field in ("scale", "spread", "weight"):
            self._require(field, 0 < getattr(self, field) < math.inf)

    @property
    def columns(self) -> int:
        """How many numbers a value becomes."""
        if self.kind is Kind.NOMINAL:
            return len(self.values)
        return 2 if self.kind is Kind.CYCLIC else 1

    @property
    def unit(self) -> float:
        """How much of the variable's own unit is 1 when it is standardised: a scale or a radian."""
        return self.scale if self.period is None else self.period / (2 * math.pi)

    def code(self, value: object) -> float | None:
        """Return the index of a name, or a number in its unit, wrapped into [0, period) if cyclic.

        None where there is no value, the name is none of ``values``, or the type is wrong. A number
        may be written as text. False and 0 stand for the first name of a binary variable, true and
        1 for the second, unless these are names themselves.
        """
        if is_missing(value):
            return None
        if self.kind in NAMED:
            return self._index(value)
        number = as_number(value)
        if number is None or self.period is None:
            return number
        wrapped = number % self.period
        # A tiny negative number is rounded up to the period itself: -1e-20 % 24 == 24.
        return wrapped if wrapped < self.period else 0.0

    def block(self, value: object) -> tuple[float, ...] | None:
        """Return the columns of a value, None where :meth:`code` is None.

        Nominal: one-hot. Binary: 0 or 1. Ordinal: the rank, scaled to [0, 1]. Continuous: the
        robust z, clipped to ±3. Cyclic: (sin, cos). All times √weight / spread.

        >>> Variable("season", Kind.NOMINAL, ("autumn", "spring"), spread=2).block("spring")
        (0.0, 0.5)
        """
        code = self.code(value)
        if code is None:
            return None
        factor = math.sqrt(self.weight) / self.spread
        if self.kind is Kind.NOMINAL:
            return tuple([factor if at == code else 0.0 for at in range(len(self.values))])
        if self.kind in NAMED:
            return (factor * code / (len(self.values) - 1),)
        if self.period is not None:
            angle = 2 * math.pi * code / self.period
            return factor * math.sin(angle), factor * math.cos(angle)
        z = (code - self.centre) / self.scale
        return (factor * min(max(z, -LARGEST_Z), LARGEST_Z),)

    def _require(self, field: str, holds: bool) -> None:
        if not holds:
            raise ValueError(
                f"variable {self.name!r}: {getattr(self, field)!r} cannot be the {field} "
                f"of a {self.kind} variable"
            )

    def _values_fit(self) -> bool:
        number = len(self.values)
        if self.kind is Kind.BINARY:
            fits = number == 2
        else:
            fits = number >= 2 if self.kind in NAMED else number == 0
        return fits and len(set(self.values)) == number

    def _period_fits(self) -> bool:
        if self.period is None:
            return self.kind is not Kind.CYCLIC
        return self.kind is Kind.CYCLIC and 0 < self.period < math.inf

    def _index(self, value: object) -> float | None:
        if not isinstance(value, str | int | float):
            return None
        text = as_text(value)
        if text in self.values:  # first, since 1 may be the first of the names 1 and 2
            return self.values.index(text)
        if self.kind is Kind.BINARY and value in (0, 1):  # true and false are 1 and 0
            return int(value)
        return None
