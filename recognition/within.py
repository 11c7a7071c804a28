"""Variance within identities: how much of it a background variable explains.

The embeddings of one identity differ by the conditions they were taken in. To look at that alone,
each identity's mean is taken away from embeddings and variable alike. What is left is regressed on
the variable, all dimensions at once: the share of variance explained is η² (for names this is the
multi-response one-way analysis of variance; Anderson, *A new method for non-parametric multivariate
analysis of variance*, 2001). Chance is what shuffling the variable's values *within* each identity
explains, so that nothing is assumed of the embeddings' distribution.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

_BLOCK = 25  # permutations at once: one large matrix product is faster than many narrow ones
_RANK = 1e-9  # of the largest singular value; below it a direction is rounding
_ROUNDING = 1e-9  # shares this close are equal: a shuffle that changes nothing must count


@dataclass(frozen=True, slots=True)
class Explained:
    """How much of a variance is explained.

    Attributes:
        share: η², from 0 to 1.
        by_chance: the mean share when the values are shuffled within identities.
        p: share of the shuffles, the data counted as one, that explain as much or more.
    """

    share: float
    by_chance: float
    p: float

    @property
    def excess(self) -> float:
        """What is explained beyond chance."""
        return self.share - self.by_chance


def centred(values: Float64, identities: Codes) -> Float64:
    """Take each identity's mean away from its rows: (n, d), codes (n,) from 0 -> (n, d).

    >>> centred(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1])).ravel().tolist()
    [-1.0, 1.0, 0.0]
    """
    counts = np.bincount(identities)
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, identities, values)
    result: Float64 = values - (sums / np.maximum(counts, 1)[:, None])[identities]
    return result


def basis(design: Float64) -> Float64:
    """Return orthonormal columns (n, r) that span those of ``design`` (n, p); r is its rank."""
    columns, sizes, _ = np.linalg.svd(design, full_matrices=False)
    kept: Float64 = columns[:, sizes > _RANK * sizes.max(initial=0)]
    return kept


def shuffles(identities: Codes, count: int, rng: np.random.Generator) -> Codes:
    """Return ``count`` random orders (count, n) that move rows only within their identity."""
    places = np.argsort(identities, kind="stable")
    orders = np.empty((count, len(identities)), dtype=np.intp)
    for order in orders:
        order[places] = np.lexsort((rng.random(len(identities)), identities))
    return orders


def explained(responses: Float64, columns: Float64, orders: Codes) -> Explained:
    """Return how much of ``responses`` (n, d) the orthonormal ``columns`` (n, r) explain.

    Both must be centred within identities; ``orders`` are :func:`shuffles` of the same ones. A
    shuffle of centred columns is what centring the shuffled ones would give, and stays orthonormal:
    each costs one matrix product.
    """
    total = float(np.square(responses).sum())
    if total == 0:
        return Explained(0, 0, 1)
    share = float(np.square(columns.T @ responses).sum()) / total
    chance = np.concatenate(
        [
            np.square(np.einsum("bnr->brn", columns[block]).reshape(-1, len(responses)) @ responses)
            .reshape(len(block), -1)
            .sum(axis=1)
            for block in np.split(orders, range(_BLOCK, len(orders), _BLOCK))
        ]
    )
    chance /= total
    reached = int(np.count_nonzero(chance >= share - _ROUNDING))
    return Explained(share, float(chance.mean()), (1 + reached) / (1 + len(orders)))
