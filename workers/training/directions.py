"""How well a background variable is predicted, and where in the latent space it shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, RidgeCV

from recognition.predictability import unseen_folds
from recognition.variable import Kind
from workers.training.variables import LearnedVariable

Array = NDArray[np.float64]

_PENALTIES = np.logspace(-3, 4, 15)
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


@dataclass(frozen=True, slots=True)
class Direction:
    """Where in the latent space a variable shows.

    Attributes:
        vectors: (k, d) float32 of unit norm. One along which a continuous or ordinal variable
            rises, or that points to the second of two values; two for a cyclic variable, sine and
            cosine; one toward each name of a nominal variable that occurs.
        names: (k,) what each points to.
        figure: the probe's on identities that it has not seen; NaN where there is only one.
    """

    vectors: NDArray[np.float32]
    names: tuple[str, ...]
    figure: Figure


def find_direction(
    embeddings: NDArray[np.floating], labels: ArrayLike, codes: ArrayLike, variable: LearnedVariable
) -> Direction | None:
    """Fit a linear probe: ridge regression, or logistic regression for names without an order.

    The ridge's penalty is the best of 15 by leave-one-out (Golub, Heath & Wahba 1979).

    Args:
        embeddings: (n, d).
        labels: (n,) identities; the folds of the cross-validation never share one.
        codes: (n,) values encoded by ``variable``; NaN where missing.

    Returns:
        ``None`` where the images show fewer than two different values.
    """
    values: Array = np.asarray(codes, np.float64)
    known = ~np.isnan(values)
    values, groups = values[known], np.asarray(labels)[known]
    if len(np.unique(values)) < 2:
        return None
    # Parts of size about 1, so that one range of penalties fits every dimension.
    features = np.asarray(embeddings, np.float64)[known] * np.sqrt(embeddings.shape[1])
    probe = _probe(variable, features, values)
    vectors, names = _vectors(variable, probe)
    predicted = _unseen(variable, features, values, groups)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return Direction(unit.astype(np.float32), names, figure(variable, values, predicted))


def _probe(
    variable: LearnedVariable, features: Array, codes: Array
) -> RidgeCV | LogisticRegression:
    if variable.unordered:
        if len(np.unique(codes)) < 2:  # a fold may be left with one value
            return DummyClassifier().fit(features, codes)
        return LogisticRegression(max_iter=2000).fit(features, codes)
    truth = np.stack([np.sin(codes), np.cos(codes)], axis=1) if variable.cyclic else codes
    return RidgeCV(_PENALTIES).fit(features, truth)


def _vectors(
    variable: LearnedVariable, probe: RidgeCV | LogisticRegression
) -> tuple[Array, tuple[str, ...]]:
    vectors: Array = np.atleast_2d(probe.coef_)
    if variable.cyclic:
        return vectors, (f"sin {variable.name}", f"cos {variable.name}")
    if variable.unordered:
        seen = [variable.fitted.values[int(code)] for code in probe.classes_]
        if variable.fitted.kind is Kind.BINARY:
            return vectors, (seen[1],)
        return (np.vstack([-vectors, vectors]) if len(seen) == 2 else vectors), tuple(seen)
    return vectors, (variable.name,)


def _unseen(
    variable: LearnedVariable, features: Array, codes: Array, groups: NDArray[np.generic]
) -> Array:
    """Return (n,) predictions, each by a probe that has not seen the identity; else NaN."""
    predicted = np.full(len(codes), np.nan)
    for train, test in unseen_folds(groups):
        outputs = _probe(variable, features[train], codes[train]).predict(features[test])
        predicted[test] = _codes(variable, outputs)
    return predicted


def _codes(variable: LearnedVariable, outputs: Array) -> Array:
    if variable.cyclic:
        return np.arctan2(outputs[:, 0], outputs[:, 1])
    if variable.fitted.kind is Kind.ORDINAL:
        return outputs.round().clip(0, len(variable.fitted.values) - 1)
    return outputs
