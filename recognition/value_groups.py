"""A variable's values cut into a few groups, for what needs several images of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognition.variable import NAMED, Variable, as_text

Codes = NDArray[np.intp]
Float64 = NDArray[np.float64]

MAX_NAMES: Final = 12
QUARTERS: Final = 4
OTHERS: Final = "(others)"

NONE: Final = -1
"""The code of what is in no group, since its value is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What the groups are called, and which of them each value is in: (n,), -1 for none."""

    names: tuple[str, ...]
    codes: Codes


def group_values(variable: Variable, values: Sequence[object]) -> Groups:
    """Group values: names as they are, numbers by quartiles, a cycle by quarters of its period.

    Of more than twelve names the rarest become one group; up to four numbers are a group each. No
    group is empty, and values that differ are never all in one.

    >>> from recognition.variable import Kind
    >>> hour = Variable("hour", Kind.CYCLIC, period=24)
    >>> group_values(hour, [5, 23, None, 25]).names
    ('0 to 6', '18 to 24')
    """
    coded = [variable.code(value) for value in values]
    codes = np.array([np.nan if code is None else code for code in coded], dtype=np.float64)
    if variable.kind in NAMED:
        return _named(variable.values, codes)
    if variable.period is not None:
        quarters = _ranges(np.linspace(0, variable.period, QUARTERS + 1), codes)
        if len(quarters.names) > 1:
            return quarters
    return _numbers(codes)


def _named(names: Sequence[str], codes: Float64) -> Groups:
    counts = Counter(codes[~np.isnan(codes)].astype(int).tolist())
    most = counts if len(counts) <= MAX_NAMES else dict(counts.most_common(MAX_NAMES - 1))
    place = {code: number for number, code in enumerate(sorted(most))}
    places = [place.get(code, len(place)) for code in np.nan_to_num(codes, nan=NONE).tolist()]
    return _kept([*(names[code] for code in place), OTHERS], np.array(places, np.intp), codes)


def _numbers(codes: Float64) -> Groups:
    known = codes[~np.isnan(codes)]
    if len(distinct := np.unique(known)) <= QUARTERS:
        texts = [as_text(number) for number in distinct.tolist()]
        return _kept(texts, np.searchsorted(distinct, codes), codes)
    return by_quartile(codes)


def by_quartile(numbers: Float64) -> Groups:
    """Group numbers (n,) by quartiles, NaN in none; where these coincide, of different numbers."""
    known = numbers[~np.isnan(numbers)]
    edges = _quartiles(known)
    return _ranges(edges if len(edges) > 2 else _quartiles(np.unique(known)), numbers)


def _quartiles(numbers: Float64) -> Float64:
    return np.unique(np.quantile(numbers, np.linspace(0, 1, QUARTERS + 1)))


def _ranges(edges: Float64, codes: Float64) -> Groups:
    """Group by ranges that hold their lower edge, the last one its upper edge too."""
    places = np.searchsorted(edges, codes, side="right").clip(1, len(edges) - 1) - 1
    return _kept([f"{low} to {high}" for low, high in pairwise(_texts(edges))], places, codes)


def _texts(edges: Float64) -> list[str]:
    """Write edges with as few digits as tell them apart, and no exponent for six digits."""
    digits = max(3, min(6, len(str(int(np.abs(edges).max())))))
    while len(texts := dict.fromkeys(f"{edge:.{digits}g}" for edge in edges)) < len(edges):
        digits += 1
    return list(texts)


def _kept(names: Sequence[str], places: Codes, codes: Float64) -> Groups:
    """Leave out the groups that nothing is in; what has no code is in none."""
    known = ~np.isnan(codes)
    used = np.unique(places[known])
    renamed = np.where(known, np.searchsorted(used, places), NONE)
    return Groups(tuple(names[place] for place in used), renamed.astype(np.intp))
