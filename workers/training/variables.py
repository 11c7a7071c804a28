"""A background variable as it is learned: as the method fits it, and what a constant guess says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognition.fitted_variable import TooFewValuesError, fit_declared
from recognition.variable import NAMED, Kind, Variable, as_text, is_missing
from schemas.errors import SetupError
from schemas.event import Scalar
from schemas.variables import TYPES, Nominal, Numeric
from schemas.variables import Variable as VariableType

MISSING = math.nan
Backgrounds = Sequence[Mapping[str, Scalar]]


@dataclass(frozen=True, slots=True)
class LearnedVariable:
    """A background variable with the statistics of the train rows.

    A value is encoded as one number: a name as its index, a number as ``(value - centre) / unit``,
    which is a robust z for a continuous variable and an angle in radians for a cyclic one.

    Attributes:
        kind: its declared or inferred type; names carry the list of their values.
        fitted: the variable as backgrounds are compared by it.
        typical: the constant guess, encoded: the most frequent name, the median rank, the median,
            the mean direction.
    """

    kind: VariableType
    fitted: Variable
    typical: float = 0.0

    @property
    def name(self) -> str:
        """The column."""
        return self.fitted.name

    @property
    def unordered(self) -> bool:
        """Whether its values are names without an order."""
        return self.fitted.kind in NAMED and self.fitted.kind is not Kind.ORDINAL

    @property
    def cyclic(self) -> bool:
        """Whether its values are angles."""
        return self.fitted.kind is Kind.CYCLIC

    def encode(self, value: Scalar | None) -> float:
        """Return the code of a value; :data:`MISSING` for none and for a name never seen.

        Raises:
            SetupError: the variable is a number, and the value is not, or beyond its bounds.
        """
        if not present(value):
            return MISSING
        _check(self.name, value, self.kind)
        code = self.fitted.code(value)
        return MISSING if code is None else (code - self.fitted.centre) / self.fitted.unit

    @classmethod
    def restore(
        cls, name: str, kind: VariableType, centre: float = 0, scale: float = 1, typical: float = 0
    ) -> "LearnedVariable":
        """Return a variable that was learned before, from its type and its statistics."""
        values, period = getattr(kind, "values", ()), getattr(kind, "period", None)
        unit = 1.0 if period is not None else scale
        return cls(kind, Variable(name, Kind(kind.type), values, period, centre, unit), typical)


def fit_variable(
    name: str, values: Sequence[Scalar | None], kind: VariableType | None = None
) -> LearnedVariable:
    """Fit a variable to its values in the train rows.

    Raises:
        SetupError: fewer than two different values, or one that does not fit the kind.
    """
    known = [value for value in values if present(value)]
    for value in known:
        _check(name, value, kind)
    try:
        # A head has no use for the spread of two rows, and a model folder does not keep it.
        fitted = replace(fit_declared(name, known, kind), spread=1.0)
    except TooFewValuesError as error:
        what = f"the train images have {error.what}; it takes two to learn"
        raise SetupError(f"background {name}: {what}") from error
    except ValueError as error:
        raise SetupError(str(error)) from error
    if kind is None:
        kind = TYPES[fitted.kind].model_validate({"type": fitted.kind.value})
    if isinstance(kind, Nominal):
        kind = kind.model_copy(update={"values": fitted.values})
    learned = LearnedVariable(kind, fitted)
    return replace(learned, typical=_typical(learned, known))


def present(value: Scalar | None) -> TypeGuard[Scalar]:
    """Tell whether there is a value: not None, empty text or NaN."""
    return not is_missing(value)


def _typical(variable: LearnedVariable, known: Sequence[Scalar]) -> float:
    codes = np.array([variable.encode(value) for value in known], np.float64)
    if variable.unordered:
        return float(np.bincount(codes.astype(np.intp)).argmax())
    if variable.fitted.kind is Kind.CONTINUOUS:
        return 0.0  # the median itself
    if variable.cyclic:
        return math.atan2(float(np.sin(codes).mean()), float(np.cos(codes).mean()))
    return float(np.median(codes))


def _check(name: str, value: Scalar, kind: VariableType | None) -> None:
    """Refuse what is no number, or beyond the bounds; names are looked up, and may be unknown."""
    if isinstance(kind, Numeric):
        try:
            kind.check(value)
        except ValueError as error:
            raise SetupError(f"background {name}={value!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class Targets:
    """The variables of a data set and their encoded values.

    Attributes:
        variables: v of them.
        values: (n, v) float32, a row per image; NaN where missing.
    """

    variables: tuple[LearnedVariable, ...]
    values: Tensor


def make_targets(
    backgrounds: Backgrounds, train: NDArray[np.intp], kinds: Mapping[str, VariableType | None]
) -> Targets:
    """Encode the variables that ``kinds`` names.

    Args:
        train: indices of the images that the statistics may be taken from.
        kinds: the kind of each variable; ``None`` infers it from the train values.

    Raises:
        SetupError: a variable has fewer than two different train values, or one that does not fit
            its kind.
    """
    variables = tuple(
        fit_variable(name, [backgrounds[row].get(name) for row in train], kind)
        for name, kind in kinds.items()
    )
    return Targets(variables, encode(variables, backgrounds))


def encode(variables: Sequence[LearnedVariable], backgrounds: Backgrounds) -> Tensor:
    """Return (n, v) float32: the code of each variable for each image, NaN where missing."""
    codes = [[v.encode(background.get(v.name)) for v in variables] for background in backgrounds]
    return torch.tensor(codes, dtype=torch.float32).reshape(len(backgrounds), len(variables))


def varying(backgrounds: Backgrounds) -> list[str]:
    """Return the variables with at least two different values, in their order of appearance."""
    seen: dict[str, set[str]] = {}
    for background in backgrounds:
        for name, value in background.items():
            if present(value):
                seen.setdefault(name, set()).add(as_text(value))
    return [name for name, values in seen.items() if len(values) >= 2]
