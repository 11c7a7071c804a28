"""Which background variables matter: what each does to the embeddings of one identity.

A variable may *shift* the space (summer lies elsewhere than winter) or change its *spread* (night
scatters more than day); O'Mahony et al., *Understanding and Exploiting Dependent Variables with
Deep Metric Learning*. Either is a reason to match conditioned on it, and the gain says whether that
helps. What lies between identities alone cannot be judged: it may be who they are.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray
from recognition.findings import Explained, Gain, Saliency, VariableRole
from recognition.predictability import Predictability, read_names, read_numbers
from recognition.value_groups import NONE, group_values
from recognition.variable import NAMED, Kind, Variable

__all__ = ["Gain", "GainOf", "Saliency", "VariableRole", "rank", "saliency"]

PERMUTATIONS: Final = 199
MIN_PERMUTATIONS: Final = 99
"""With fewer no p-value could reach :data:`SIGNIFICANT`."""

SIGNIFICANT: Final = 0.01
SMALLEST: Final = 0.005
"""A share of variance beyond chance that is smaller is noise, however surely it is there."""

MIN_VARYING: Final = 0.05
MAX_BETWEEN: Final = 0.95
"""Confounded: a smaller share of the images lies in identities in which the variable varies, or a
larger share of its variance lies between identities."""

_MIN_FREE = 0.5  # of a residual; the fit follows the rest, as it does a value that comes once
_SMALLEST_RADIUS = 1e-3  # of the root mean square: copies of one image have no logarithm

GainOf = Callable[[NDArray[np.intp]], Gain | None]
"""Takes the cluster of each image (n,), -1 where it is in none; None where it cannot measure."""
Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

_BLOCK = 25  # permutations at once: one large matrix product is faster than many narrow ones
_RANK = 1e-9  # of the largest singular value; below it a direction is rounding
_ROUNDING = 1e-9  # shares this close are equal: a shuffle that changes nothing must count


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


def saliency(
    embeddings: FloatArray,
    labels: Sequence[str],
    variable: Variable,
    values: Sequence[object],
    *,
    gain: GainOf | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Saliency:
    """Look at one variable.

    The p-values take the images of an identity for independent. Where they come in bursts, a
    variable that tells the burst (its date) looks surer than it is.

    Args:
        embeddings: (n, d), finite.
        values: of each; what the variable has no code for is left out.
        gain: measures what conditioning gains, from the group of each image.
        permutations: shuffles behind a p-value.

    Raises:
        ValueError: the lengths differ, the permutations are fewer than 99, or the values do not
            differ, so that there is nothing to look at.
    """
    if not len(embeddings) == len(labels) == len(values):
        raise ValueError(
            f"{len(embeddings)} embeddings, {len(labels)} labels and {len(values)} values"
        )
    if permutations < MIN_PERMUTATIONS:
        raise ValueError(f"{permutations} permutations; {MIN_PERMUTATIONS} at least")
    groups = group_values(variable, values)
    known = groups.codes != NONE
    codes = groups.codes[known]
    features = _features(variable, [v for v, there in zip(values, known, strict=True) if there])
    if len(groups.names) < 2 or not np.ptp(features, axis=0).any():
        raise ValueError(f"{variable.name} does not differ between the images")
    x = np.asarray(embeddings, dtype=np.float64)[known]
    names, identities = np.unique(np.asarray(labels, np.str_)[known], return_inverse=True)
    varying, between = _lies(features, identities)
    shift = spread = None
    if varying.mean() >= MIN_VARYING and between <= MAX_BETWEEN:
        design = _design(variable, features, codes)
        rng = np.random.default_rng(seed)
        shift, spread = _acts(x[varying], design[varying], identities[varying], permutations, rng)
    return Saliency(
        variable=variable.name,
        kind=variable.kind,
        groups=groups.names,
        images=len(x),
        identities=len(names),
        varying=float(varying.mean()),
        between=between,
        shift=shift,
        spread=spread,
        read=_read(variable, x, features, codes, identities),
        gain=None if gain is None else gain(groups.codes),
        role=_role(shift, spread),
    )


def rank(findings: Iterable[Saliency]) -> list[Saliency]:
    """Put what acts first; then by the lower end of the gain, then by the shift beyond chance."""

    def key(finding: Saliency) -> tuple[bool, float, float]:
        low = -np.inf if finding.gain is None else finding.gain.low
        return finding.role.acts, low, -np.inf if finding.shift is None else finding.shift.excess

    return sorted(findings, key=key, reverse=True)


def _features(variable: Variable, values: Sequence[object]) -> Float64:
    blocks = [variable.block(value) for value in values]
    return np.array(blocks, dtype=np.float64).reshape(len(values), variable.columns)


def _design(variable: Variable, features: Float64, codes: Codes) -> Float64:
    """Return what is regressed on: the groups, and numbers as such, for what is in proportion.

    Of many names the rarest are one group here too: each with an effect of its own would explain
    the few images that it has, whatever they are.
    """
    groups = np.eye(codes.max() + 1)[codes]
    return groups if variable.kind is Kind.NOMINAL else np.hstack([features, groups])


def _lies(features: Float64, identities: Codes) -> tuple[NDArray[np.bool_], float]:
    """Tell of each image if the variable varies in its identity, and how much lies between them."""
    within = centred(features, identities)
    moved = np.abs(within).max(axis=1) > 1e-9 * np.abs(features).max()
    total = np.square(features - features.mean(axis=0)).sum()
    return np.isin(identities, identities[moved]), float(1 - np.square(within).sum() / total)


def _acts(
    x: Float64, design: Float64, identities: Codes, permutations: int, rng: np.random.Generator
) -> tuple[Explained, Explained]:
    """Return what a variable explains of the embeddings, and of the logarithm of their radii."""
    codes = _from_zero(identities)
    responses, columns = centred(x, codes), basis(centred(design, codes))
    shift = explained(responses, columns, shuffles(codes, permutations, rng))
    # How much of a row's residual is its own. A short one is no sign of little spread.
    free = 1 - np.square(columns).sum(axis=1)
    rows = free >= _MIN_FREE
    squares = np.square(responses - columns @ (columns.T @ responses)).sum(axis=1)[rows]
    codes = _from_zero(codes[rows])
    radii = centred(_log_radii(squares / free[rows]), codes)
    columns = basis(centred(design[rows], codes))
    return shift, explained(radii, columns, shuffles(codes, permutations, rng))


def _from_zero(identities: Codes) -> Codes:
    codes: Codes = np.unique(identities, return_inverse=True)[1]
    return codes


def _log_radii(squares: Float64) -> Float64:
    """Return the logarithms (n, 1) of the radii with these squares (n,)."""
    mean = squares.mean() if squares.size else 0.0
    least = max(_SMALLEST_RADIUS**2 * mean, np.finfo(np.float64).tiny)
    radii: Float64 = np.log(np.maximum(squares, least))[:, None] / 2
    return radii


def _read(
    variable: Variable, x: Float64, features: Float64, codes: Codes, identities: Codes
) -> Predictability | None:
    if variable.kind in NAMED:
        return read_names(x, codes, identities)
    return read_numbers(x, features, identities)


def _role(shift: Explained | None, spread: Explained | None) -> VariableRole:
    if shift is None or spread is None:
        return VariableRole.CONFOUNDED
    match _sure(shift), _sure(spread):
        case True, True:
            return VariableRole.SHIFTS_AND_SPREADS
        case True, False:
            return VariableRole.SHIFTS
        case False, True:
            return VariableRole.SPREADS
        case _:
            return VariableRole.NOISE


def _sure(explained: Explained) -> bool:
    return explained.p <= SIGNIFICANT and explained.excess >= SMALLEST
