"""A background variable as it is learned: its kind and the statistics of its values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from recognition.fitted_variable import robust
from recognition.values import as_text, is_missing, is_number, names_of
from schemas.errors import SetupError
from schemas.event import Scalar
from schemas.variables import Binary, Continuous, Cyclic, Nominal, Numeric, Ordinal
from schemas.variables import Variable as Kind

MISSING = math.nan


@dataclass(frozen=True, slots=True)
class Variable:
    """A background variable as it is learned, with the statistics of the train rows.

    A value is encoded as one number. Names (nominal, binary, ordinal) become their index in
    ``kind.values``, numbers become ``(value - centre) / scale``: a robust z for a continuous
    variable, an angle in radians for a cyclic one.

    Attributes:
        name: the column.
        kind: its declared or inferred type; names carry the list of their values.
        centre: median of a continuous variable, in its unit; 0 otherwise.
        scale: deviation of a continuous variable or ``period / 2π`` of a cyclic one, in its unit;
            1 otherwise.
        typical: the constant guess, encoded: the most frequent name, the median rank, the median,
            the mean direction.
    """

    name: str
    kind: Kind
    centre: float = 0.0
    scale: float = 1.0
    typical: float = 0.0

    def encode(self, value: Scalar | None) -> float:
        """Return the code of a value; :data:`MISSING` for none and for a name never seen.

        Raises:
            SetupError: the variable is a number, and the value is not.
        """
        if not present(value):
            return MISSING
        try:
            return (_read(self.name, self.kind, value) - self.centre) / self.scale
        except SetupError:
            if isinstance(self.kind, Numeric):
                raise
            return MISSING


def fit_variable(name: str, values: Sequence[Scalar | None], kind: Kind | None = None) -> Variable:
    """Fit a variable to its values in the train rows.

    Raises:
        SetupError: fewer than two different values, or one that does not fit the kind.
    """
    known = [value for value in values if present(value)]
    if kind is None:
        kind = infer(known)
    if isinstance(kind, Nominal) and not kind.values:
        kind = kind.model_copy(update={"values": names_of(known)})
    codes = np.array([_read(name, kind, value) for value in known], np.float64)
    if len(np.unique(codes)) < 2:
        what = f"only the value {known[0]!r}" if known else "no value"
        raise SetupError(f"background {name}: the train images have {what}; it takes two to learn")
    return _fit(name, kind, codes)


def infer(values: Sequence[Scalar]) -> Kind:
    """Guess a kind: two different values are binary, numbers continuous, anything else nominal."""
    names = names_of(values)
    if len(names) == 2:
        return Binary(type="binary", values=names)
    if all(is_number(value) for value in values):
        return Continuous(type="continuous")
    return Nominal(type="nominal", values=names)


def present(value: Scalar | None) -> TypeGuard[Scalar]:
    """Tell whether there is a value: not None, empty text or NaN."""
    return not is_missing(value)


def _fit(name: str, kind: Kind, codes: NDArray[np.float64]) -> Variable:
    match kind:
        case Cyclic():
            angles = codes * (2 * math.pi / kind.period)
            mean = math.atan2(float(np.sin(angles).mean()), float(np.cos(angles).mean()))
            return Variable(name, kind, scale=kind.period / (2 * math.pi), typical=mean)
        case Continuous():
            return Variable(name, kind, *robust(codes))
        case Ordinal():
            return Variable(name, kind, typical=float(np.median(codes)))
    return Variable(name, kind, typical=float(np.bincount(codes.astype(np.intp)).argmax()))


def _read(name: str, kind: Kind, value: Scalar) -> float:
    """Return the number, or the index of the name."""
    try:
        if isinstance(kind, Numeric):
            return float(kind.check(value))
        # A name first: 1 is the first of the two names 1 and 2, though it may also mean "true".
        text = as_text(value)
        return kind.values.index(text if text in kind.values else str(kind.check(value)))
    except ValueError as error:
        raise SetupError(f"background {name}={value!r}: {error}") from error
