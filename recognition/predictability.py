"""How well a background variable can be read from the embeddings of identities never seen.

That the embedding tells a variable does no harm yet (it may tell it in directions that leave the
identity alone), but to what it cannot tell it is blind. Two readers, since a variable may lie in
the space as a direction or as islands: a linear one (ridge regression) and nearest neighbours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsRegressor

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

FOLDS: Final = 5
NEIGHBOURS: Final = 15


class Measure(StrEnum):
    """What the figures are; of both, 1 is perfect."""

    BALANCED_ACCURACY = "balanced accuracy"  # mean over the values of the share that is told right
    R2 = "R²"  # share of the variance that is told; below 0 is worse than telling the mean


@dataclass(frozen=True, slots=True)
class Predictability:
    """How well each reader does on identities that it did not see, and what guessing does."""

    measure: Measure
    linear: float
    neighbours: float
    chance: float


def read_names(embeddings: Float64, names: Codes, identities: Codes) -> Predictability | None:
    """Read names, as codes (n,) from 0, from embeddings (n, d); None for a single identity.

    Every name weighs the same, however rare it is.
    """
    counts = np.bincount(names)
    weights = (len(names) / np.maximum(counts, 1))[names]
    targets = np.eye(len(counts))[names]

    def balanced(predicted: Float64) -> float:
        right = predicted.argmax(axis=1) == names
        return float(np.mean([right[names == name].mean() for name in np.flatnonzero(counts)]))

    chance = 1 / np.count_nonzero(counts)
    measure = Measure.BALANCED_ACCURACY
    return _read(embeddings, targets, identities, weights, measure, balanced, float(chance))


def read_numbers(embeddings: Float64, values: Float64, identities: Codes) -> Predictability | None:
    """Read numbers (n, p), the p together, from embeddings (n, d); None for a single identity."""
    total = np.square(values - values.mean(axis=0)).sum()

    def r2(predicted: Float64) -> float:
        return float(1 - np.square(values - predicted).sum() / total)

    return _read(embeddings, values, identities, np.ones(len(values)), Measure.R2, r2, 0.0)


def unseen_folds(identities: NDArray[np.generic]) -> list[tuple[Codes, Codes]]:
    """Return (seen, unseen) rows of up to five folds that share no identity; none for a single."""
    folds = min(FOLDS, len(np.unique(identities)))
    return [] if folds < 2 else list(GroupKFold(folds).split(identities, groups=identities))


def _read(
    embeddings: Float64,
    targets: Float64,
    identities: Codes,
    weights: Float64,
    measure: Measure,
    score: Callable[[Float64], float],
    chance: float,
) -> Predictability | None:
    folds = unseen_folds(identities)
    if not folds:
        return None
    linear, near = np.empty_like(targets), np.empty_like(targets)
    for seen, unseen in folds:
        linear[unseen] = _linear(embeddings[seen], targets[seen], weights[seen], embeddings[unseen])
        near[unseen] = _near(embeddings[seen], targets[seen], weights[seen], embeddings[unseen])
    return Predictability(measure, score(linear), score(near), chance)


def _linear(x: Float64, y: Float64, weights: Float64, asked: Float64) -> Float64:
    # As heavy as the data in a direction of mean variance: directions of less are held back.
    alpha = weights.sum() * x.var(axis=0).mean()
    ridge = Ridge(alpha if alpha > 0 else 1.0).fit(x, y, sample_weight=weights)
    predicted: Float64 = ridge.predict(asked).reshape(len(asked), -1)
    return predicted


def _near(x: Float64, y: Float64, weights: Float64, asked: Float64) -> Float64:
    neighbours = KNeighborsRegressor(min(NEIGHBOURS, len(x))).fit(x, y * weights[:, None])
    predicted: Float64 = neighbours.predict(asked).reshape(len(asked), -1)
    return predicted
