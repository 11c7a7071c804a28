"""A metric after training: a linear map on the embeddings, folded into the exported model.

A Mahalanobis distance with M = LᵀL is the Euclidean distance after the map L. Here it is used as
everything else is, by the cosine: the mapped embeddings are brought to unit norm again.
"""

import warnings
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NeighborhoodComponentsAnalysis

from recognition.trials import resampled_tpir
from schemas.errors import SetupError
from workers.training.lmnn import fit_lmnn

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

_MAX_POINTS = 2000
_HELD_OUT = 1 / 3
_ITERATIONS = 40
_UNCHOSEN = 0.5  # with too few identities to hold any out
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_APART = 3.0  # of images of one identity, at the start of NCA: nearer, and all count as neighbours
_TINY = float(np.finfo(np.float32).tiny)


def whiten(points: Array, labels: Indices, dimension: int, power: float) -> Array:
    """Divide every direction by its deviation within identities, to a power.

    1 is relevant component analysis (Bar-Hillel et al. 2005, JMLR 6), here with the covariance
    shrunk after Ledoit & Wolf 2004; with up to C - 1 dimensions it spans Fisher's discriminants. 0
    is principal component analysis.

    Args:
        points: (n, d).
        labels: (n,) identities, from 0 to C - 1.
        dimension: k; the axes kept are those with the most variance after whitening.
        power: from 0 to 1.

    Returns:
        (k, d).
    """
    inside, _ = ledoit_wolf(residuals(points, labels), assume_centered=True)
    values, vectors = np.linalg.eigh(inside)
    values = values.clip(max(float(values.max()) * 1e-6, _TINY))
    white = vectors * values ** (-power / 2) @ vectors.T
    variance = white @ np.cov(points.T).reshape(inside.shape) @ white
    axes = np.linalg.eigh(variance)[1][:, ::-1].T[:dimension]
    whitened: Array = axes @ white
    return whitened


def residuals(points: Array, labels: Indices) -> Array:
    """Return (n, d): every point less the mean of its identity."""
    sums = np.zeros((int(labels.max()) + 1, points.shape[1]))
    np.add.at(sums, labels, points)
    means = sums / np.bincount(labels)[:, None]
    left: Array = points - means[labels]
    return left


class LinearMetric(StrEnum):
    """How the map is learned."""

    NCA = "nca"
    """Neighbourhood components analysis: Goldberger et al. 2004; scikit-learn's."""
    LMNN = "lmnn"
    """Large-margin nearest neighbour: Weinberger & Saul 2009."""
    MAHALANOBIS = "mahalanobis"
    """Whitening of what varies within identities: Bar-Hillel et al. 2005."""


def fit_linear_map(
    embeddings: NDArray[np.floating],
    labels: ArrayLike,
    method: LinearMetric,
    dimension: int,
    seed: int = 0,
) -> FloatArray:
    """Learn a linear map that brings images of one identity together.

    Such a map has thousands of parameters for a handful of identities, and it is meant for others.
    So a third of the identities is held out, and their TPIR at FPIR 5 % decides how much to
    whiten (not at all leaves the principal axes), and for NCA and LMNN, which start there and stop
    after 40 steps, how much of what they learned to mix in. Then all is fitted on all identities.

    Of more than 2000 images 2000 are used, as evenly as possible from the identities.

    Args:
        embeddings: (n, d), of train rows.
        labels: (n,) identities.
        dimension: k, from 1 to d.

    Returns:
        (k, d) float32, scaled so that a mapped embedding has a norm of 1 on average.

    Raises:
        SetupError: k is out of range, there are not two identities, one with two images, or all
            embeddings are the same.
    """
    points = np.asarray(embeddings, np.float64)
    numbers: Indices = np.unique(np.asarray(labels), return_inverse=True)[1]
    if not 1 <= dimension <= points.shape[1]:
        raise SetupError(f"dimension {dimension} of the map: take 1 to {points.shape[1]}")
    if not _learnable(numbers) or not np.ptp(points, axis=0).any():
        raise SetupError(
            f"{method} on {len(points)} images: it takes two identities, two images of one of "
            "them, and embeddings that differ"
        )
    generator = np.random.default_rng(seed)
    rows = _draw(numbers, generator)
    learned = _learn(points[rows], numbers[rows], method, dimension, generator)
    length = float(np.linalg.norm(points @ learned.T, axis=1).mean())
    return np.asarray(learned / max(length, _TINY), np.float32)


def fold(
    weight: FloatArray, bias: FloatArray, learned: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Fold a map into the linear layer before it: return the layer's new weight and bias.

    With v = Wx + b, the model gave v/|v|, and the map is applied to that. It is linear and |v| is a
    positive number, so M(v/|v|) = Mv/|v| points where Mv = (MW)x + Mb points, and bringing both to
    unit norm gives the same: normalise(M normalise(Wx + b)) = normalise((MW)x + Mb).

    Args:
        weight: W, (d, i).
        bias: b, (d,).
        learned: M, (k, d).
    """
    exact = learned.astype(np.float64)
    return (exact @ weight).astype(np.float32), (exact @ bias).astype(np.float32)


def _learn(
    points: Array,
    labels: Indices,
    method: LinearMetric,
    dimension: int,
    generator: np.random.Generator,
) -> Array:
    """Choose on held-out identities, then fit on all."""
    power = share = _UNCHOSEN
    held = _hold_out(labels, generator)
    if held is not None:
        some, theirs = points[~held], np.unique(labels[~held], return_inverse=True)[1]
        others, names = points[held], [str(label) for label in labels[held]]

        def tpir(learned: Array) -> float:
            return resampled_tpir((others @ learned.T).astype(np.float32), names)

        power = max(_SHARES, key=lambda power: tpir(whiten(some, theirs, dimension, power)))
        if method is not LinearMetric.MAHALANOBIS:
            start = whiten(some, theirs, dimension, power)
            end = _descend(some, theirs, method, start)
            share = max(_SHARES, key=lambda share: tpir(_mix(start, end, share)))
    learned = whiten(points, labels, dimension, power)
    if method is LinearMetric.MAHALANOBIS or share == 0:
        return learned
    return _mix(learned, _descend(points, labels, method, learned), share)


def _descend(points: Array, labels: Indices, method: LinearMetric, start: Array) -> Array:
    # Both losses have a unit of length: images of one identity shall lie so far apart in it.
    within = residuals(points @ start.T, labels)
    apart = float(np.sqrt(2 * (within**2).sum(axis=1).mean()))
    start = start / max(apart, _TINY)
    if method is LinearMetric.LMNN:
        return fit_lmnn(points, labels, start, _ITERATIONS)
    nca = NeighborhoodComponentsAnalysis(len(start), init=start * _APART, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the cap is meant
        learned: Array = nca.fit(points, labels).components_
    return learned


def _mix(start: Array, learned: Array, share: float) -> Array:
    mixed: Array = (1 - share) * start / np.linalg.norm(start)
    return mixed + share * learned / max(float(np.linalg.norm(learned)), _TINY)


def _hold_out(labels: Indices, generator: np.random.Generator) -> Mask | None:
    """Draw a third of the identities; ``None`` where they or the others would be too few."""
    identities = int(labels.max()) + 1
    chosen = generator.permutation(identities)[: round(identities * _HELD_OUT)]
    held: Mask = np.isin(labels, chosen)
    return held if _learnable(labels[held]) and _learnable(labels[~held]) else None


def _learnable(labels: Indices) -> bool:
    """Tell whether there are two identities, and two images of one of them."""
    return 2 <= len(np.unique(labels)) < len(labels)


def _draw(labels: Indices, generator: np.random.Generator) -> Indices:
    """Return up to 2000 rows: one of each identity in turn, in a random order within it."""
    order = generator.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    turn = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen: Indices = np.sort(order[np.argsort(turn, kind="stable")][:_MAX_POINTS])
    return chosen
