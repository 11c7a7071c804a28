"""Large-margin nearest neighbour: a linear map under which an identity's images are nearest.

Source: Weinberger & Saul 2009, "Distance Metric Learning for Large Margin Nearest Neighbor
Classification", JMLR 10. Their loss, minimised over the map L itself instead of M = LᵀL: not
convex, but of low rank by construction. (The one of ``metric-learn`` 0.7 does not run with
scikit-learn 1.8 or later.)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import coo_array, diags_array
from sklearn.metrics.pairwise import euclidean_distances

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_TARGETS = 3
_IMPOSTORS = 30
_ROUNDS = 4
_PUSH = 0.5


def fit_lmnn(points: Array, labels: Indices, start: Array, iterations: int) -> Array:
    """Learn a map.

    Each point is pulled to its 3 nearest of the same identity (fewer where there are fewer) and
    pushes away those of others that are not farther off by a margin of 1, in squared distance. Of
    these only the 30 nearest count, chosen anew in each of 4 rounds.

    Args:
        points: (n, d).
        labels: (n,) identities as numbers, two or more, one of them with two points or more.
        start: (k, d), the map to start from, such that targets are about 1 apart.
        iterations: most steps of L-BFGS, all rounds together.

    Returns:
        (k, d).
    """
    same = labels[:, None] == labels
    itself = np.eye(len(labels), dtype=bool)
    targets = _nearest(points @ start.T, same & ~itself, _TARGETS)
    learned = start
    for _ in range(_ROUNDS):
        impostors = _nearest(points @ learned.T, ~same, _IMPOSTORS)
        solution = minimize(
            lambda flat, pairs: lmnn_loss(flat.reshape(start.shape), points, *pairs),
            learned.ravel(),
            args=((targets, impostors),),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": max(1, iterations // _ROUNDS)},
        )
        learned = solution.x.reshape(start.shape)
    return learned


def lmnn_loss(
    learned: Array, points: Array, targets: Indices, impostors: Indices
) -> tuple[float, Array]:
    """Return the loss, per pair of point and target, and its gradient by the map, flat.

    Args:
        learned: (k, d), L.
        points: (n, d).
        targets: (p, 2) a point and one that shall be near it.
        impostors: (q, 2) a point and one that shall not; in the order of the points.
    """
    mapped = points @ learned.T
    near, far = _squared(mapped, targets), _squared(mapped, impostors)
    triplets = _triplets(len(points), targets, impostors)
    margins = 1 + near[triplets[:, 0]] - far[triplets[:, 1]]
    active = margins > 0
    pull = (1 - _PUSH) + _PUSH * np.bincount(triplets[active, 0], minlength=len(targets))
    push = _PUSH * np.bincount(triplets[active, 1], minlength=len(impostors))
    loss = (1 - _PUSH) * near.sum() + _PUSH * margins[active].sum()
    weights = np.concatenate([pull, -push])
    gradient = 2 * mapped.T @ _spread(points, np.concatenate([targets, impostors]), weights)
    return float(loss) / len(targets), gradient.ravel() / len(targets)


def _nearest(mapped: Array, allowed: NDArray[np.bool_], most: int) -> Indices:
    """Return (p, 2) pairs of each point with up to ``most`` of the nearest that are allowed."""
    distances = np.where(allowed, euclidean_distances(mapped, squared=True), np.inf)
    columns = np.argsort(distances, axis=1, kind="stable")[:, :most]
    rows = np.broadcast_to(np.arange(len(mapped))[:, None], columns.shape)
    pairs = np.stack([rows, columns], axis=2)
    kept: Indices = pairs[np.take_along_axis(allowed, columns, axis=1)]
    return kept


def _triplets(count: int, targets: Indices, impostors: Indices) -> Indices:
    """Return (t, 2): every target of a point with every impostor of it, as rows of the two."""
    first = np.searchsorted(impostors[:, 0], np.arange(count + 1))
    sizes = np.diff(first)[targets[:, 0]]
    rows = np.repeat(np.arange(len(targets)), sizes)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.stack([rows, first[targets[rows, 0]] + within], axis=1)


def _squared(mapped: Array, pairs: Indices) -> Array:
    differences = mapped[pairs[:, 0]] - mapped[pairs[:, 1]]
    squares: Array = np.einsum("pk,pk->p", differences, differences)
    return squares


def _spread(points: Array, pairs: Indices, weights: Array) -> Array:
    """Return S with Xᵀ S = Σ w (x - y)(x - y)ᵀ over the pairs: the graph Laplacian times X."""
    size = len(points)
    edges = coo_array((weights, (pairs[:, 0], pairs[:, 1])), shape=(size, size)).tocsr()
    edges = edges + edges.T
    spread: Array = (diags_array(edges.sum(axis=1)) - edges) @ points
    return spread
