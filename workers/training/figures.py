"""How well a background variable is predicted, beside one who has not seen the image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recognition.variable import Kind
from workers.training.variables import LearnedVariable

Codes = NDArray[np.floating]

ACCURACY = "balanced accuracy"
RANKS = "mean absolute error in ranks"
ERROR = "mean absolute error"
CIRCULAR = "mean circular error"

_ERRORS: Mapping[Kind, str] = MappingProxyType(
    {Kind.CONTINUOUS: ERROR, Kind.CYCLIC: CIRCULAR, Kind.ORDINAL: RANKS}
)
"""What is measured of a kind; names without an order are told rightly or not."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How good predictions are.

    Attributes:
        measure: what was measured: :data:`ACCURACY` (more is better), or an error, in the
            variable's unit (less is better).
        value: of the predictions; NaN where there is nothing to predict.
        chance: of the same constant guess for every image, made from the train rows.
        count: the number of images that have the variable.
    """

    measure: str
    value: float
    chance: float
    count: int


def figure(variable: LearnedVariable, codes: Codes, predicted: Codes) -> Figure:
    """Compare predictions with the truth, both (n,) and encoded; NaN in ``codes`` is left out."""
    known = ~np.isnan(codes)
    codes, predicted = codes[known], predicted[known]
    if not variable.unordered:
        return _error(_ERRORS[variable.fitted.kind], variable, codes, predicted)
    classes = np.unique(codes)
    if not len(classes):
        return Figure(ACCURACY, math.nan, math.nan, 0)
    return Figure(ACCURACY, _recall(classes, codes, predicted), 1 / len(classes), len(codes))


def _error(measure: str, variable: LearnedVariable, codes: Codes, predicted: Codes) -> Figure:
    if not len(codes):
        return Figure(measure, math.nan, math.nan, 0)
    value, chance = np.abs(predicted - codes), np.abs(variable.typical - codes)
    if measure == CIRCULAR:  # the shorter way round
        value, chance = (np.abs((a + math.pi) % (2 * math.pi) - math.pi) for a in (value, chance))
    unit = variable.fitted.unit
    return Figure(measure, float(value.mean()) * unit, float(chance.mean()) * unit, len(codes))


def _recall(classes: Codes, codes: Codes, predicted: Codes) -> float:
    if np.isnan(predicted).any():
        return math.nan
    return float(np.mean([(predicted[codes == c] == c).mean() for c in classes]))
