"""What the values seen so far say about a background variable."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from recognition.variable import NAMED, Kind, Scalar, Variable, is_missing, is_number, names_of

MIN_RANGE = 1e-30
"""Numbers that lie closer together are one value: what is divided by their scale overflows."""


class TooFewValuesError(ValueError):
    """A variable has no two different values; ``what`` says what it has."""

    def __init__(self, name: str, known: Sequence[Scalar]) -> None:
        self.what = f"only the value {known[0]!r}" if known else "no value"
        super().__init__(
            f"background {name}: there is {self.what}; it takes two to tell backgrounds apart"
        )


def fit_variable(
    name: str,
    values: Sequence[object | None],
    kind: Kind | None = None,
    *,
    names: Sequence[str] = (),
    period: float | None = None,
) -> Variable:
    """Fit a variable to its values; None, empty text and NaN are left out.

    Args:
        values: one a background, text, numbers or truth values.
        kind: None infers it: two different values are binary, numbers continuous, anything else
            nominal. Cyclic and ordinal cannot be told from the values.
        names: the names of a named kind, an ordinal's in their order; those seen where empty.
        period: of a cyclic variable, in its unit.

    Raises:
        ValueError: fewer than two different values, or one that does not fit the kind.

    >>> variable = fit_variable("gain", [1, 2, 3, 4, None])
    >>> variable.kind.value, variable.centre, variable.scale
    ('continuous', 2.5, 1.4826)
    """
    known = _scalars(name, values)
    seen = names_of(known)
    if len(seen) < 2:
        raise TooFewValuesError(name, known)
    if kind is None:
        kind = infer(known)
    if kind in NAMED and not names:
        names = seen
    variable = Variable(name, kind, tuple(names), period)
    codes = [variable.code(value) for value in known]
    for value, code in zip(known, codes, strict=True):
        if code is None:
            expected = f"one of {', '.join(names)}" if names else "a finite number"
            raise ValueError(f"background {name}={value!r}: expected {expected}")
    if len(set(codes)) < 2:
        raise TooFewValuesError(name, known)
    if kind is Kind.CONTINUOUS:
        numbers = np.array(codes, np.float64)
        if float(numbers.max()) - float(numbers.min()) < MIN_RANGE:
            raise TooFewValuesError(name, known)
        centre, scale = robust(numbers)
        variable = replace(variable, centre=centre, scale=scale)
    blocks = np.array([variable.block(value) for value in known], np.float64)
    return replace(variable, spread=_spread(blocks))


class Declared(Protocol):
    """A type as it is declared; ``values`` and ``period`` are looked for where it has them."""

    @property
    def type(self) -> str:
        """The name of the kind."""
        ...


def fit_declared(
    name: str, values: Sequence[object | None], declared: Declared | None = None
) -> Variable:
    """Fit a variable as its declaration says, or as the values do where there is none."""
    if declared is None:
        return fit_variable(name, values)
    return fit_variable(
        name,
        values,
        Kind(declared.type),
        names=getattr(declared, "values", ()),
        period=getattr(declared, "period", None),
    )


def infer(values: Sequence[Scalar]) -> Kind:
    """Guess a kind: two different values are binary, numbers continuous, anything else nominal."""
    if len(names_of(values)) == 2:
        return Kind.BINARY
    return Kind.CONTINUOUS if all(is_number(value) for value in values) else Kind.NOMINAL


def _scalars(name: str, values: Sequence[object | None]) -> list[Scalar]:
    known = [value for value in values if not is_missing(value)]
    for value in known:
        if not isinstance(value, str | int | float):
            raise ValueError(f"background {name}={value!r}: not text, a number or a boolean")
    return cast(list[Scalar], known)


def robust(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median, and the deviation of a normal distribution with this MAD.

    Half of the values or more may be equal: then the mean distance to the median stands for the
    median one (Iglewicz and Hoaglin 1993).
    """
    with np.errstate(over="ignore", invalid="ignore"):  # too large is refused as not finite
        centre = float(np.median(numbers))
        distances = np.abs(numbers - centre)
        mad, mean = float(np.median(distances)), float(distances.mean())
    return centre, 1.4826 * mad if mad > 0 else 1.2533 * mean


def _spread(blocks: NDArray[np.float64]) -> float:
    """Return the root mean squared distance over all pairs of two rows of (n, w)."""
    # The mean over pairs of |x - y|² is twice the variance, with n - 1.
    return math.sqrt(2 * float(blocks.var(axis=0, ddof=1).sum()))
