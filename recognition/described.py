"""What tells the backgrounds of one cluster from the others, in plain words."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby
from math import ceil, floor, log10
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.background import Background, Encoder
from recognition.variable import NAMED, Variable

Float64 = NDArray[np.float64]

MAX_TOLD = 3
MIN_GAP = 0.25
"""How much more often a statement holds within the cluster than elsewhere, to be worth telling."""

MOSTLY = 0.8  # of a cluster: what holds for less is called "mostly"
MIN_SHARE = 0.1  # of a cluster, for a name to be listed
EDGE = 0.05  # of a cluster's numbers, left out at either end of a range
_WORD = re.compile(r"[^\W\d_]{3,}([ _-][^\W\d_]+)*")


class _Statement(NamedTuple):
    words: str
    share: float  # of the cluster for which it holds
    gap: float  # by which the share is larger than elsewhere (Youden's J)


def describe(
    encoder: Encoder, backgrounds: Sequence[Background], clusters: NDArray[np.intp], k: int
) -> tuple[str, ...]:
    """Return a few plain words about each of k clusters, and its size.

    Per variable one statement is tried: the names that at least a tenth of the cluster has and that
    are more frequent in it than elsewhere, or the range of the middle 90 % of its numbers, the
    shortest such arc for a cycle. Told are up to three that hold at least a quarter of all images
    more often within the cluster than elsewhere, the most telling first. "Mostly" says that a
    statement holds for less than 80 % of the cluster.

    Args:
        clusters: (n,), the cluster of each; those in none (-1) are left out.

    >>> from recognition.variable import Kind
    >>> encoder = Encoder((Variable("light", Kind.NOMINAL, ("day", "night")),))
    >>> describe(encoder, [{"light": "day"}, {"light": "night"}, {}], np.array([0, 1, 1]), 2)
    ('day: 1 image', 'mostly night: 2 images')
    """
    belongs = [clusters == number for number in range(k)]
    if k == 1:
        return (_counted("everything", int(belongs[0].sum())),)
    names = Counter(name for variable in encoder.variables for name in variable.values)
    shared = {name for name, times in names.items() if times > 1}
    told: list[list[_Statement]] = [[] for _ in belongs]
    for variable in encoder.variables:
        codes = _codes(variable, backgrounds)
        for statements, inside in zip(told, belongs, strict=True):
            outside = (clusters >= 0) & ~inside
            statement = _statement(variable, codes[inside], codes[outside], shared)
            if statement is not None and statement.gap >= MIN_GAP:
                statements.append(statement)
    return tuple(
        _counted(_sentence(statements), int(inside.sum()))
        for statements, inside in zip(told, belongs, strict=True)
    )


def _counted(words: str, n: int) -> str:
    return f"{words}: {n:,} image{'' if n == 1 else 's'}"


def _sentence(statements: Sequence[_Statement]) -> str:
    first = sorted(statements, key=lambda statement: -statement.gap)[:MAX_TOLD]
    told = [f"mostly {words}" if share < MOSTLY else words for words, share, _ in first]
    return ", ".join(told) if told else "mixed"


def _codes(variable: Variable, backgrounds: Sequence[Background]) -> Float64:
    codes = (variable.code(background.get(variable.name)) for background in backgrounds)
    return np.array([np.nan if code is None else code for code in codes], np.float64)


def _statement(
    variable: Variable, inside: Float64, outside: Float64, shared: Collection[str]
) -> _Statement | None:
    """Return the statement for the codes of a cluster and of all others, NaN where missing."""
    known = inside[~np.isnan(inside)]
    if not known.size:
        return None
    if variable.kind in NAMED:
        more = _shares(variable, inside) > _shares(variable, outside)
        chosen = np.flatnonzero(more & (_shares(variable, inside) >= MIN_SHARE))
        if not chosen.size:
            return None
        words = name_words(variable, [variable.values[at] for at in chosen], shared)
        holds = [np.isin(codes, chosen) for codes in (inside, outside)]
    else:
        low, width = _range(variable, known)
        words = range_words(variable, low, low + width)
        holds = [_above(variable, codes, low) <= width for codes in (inside, outside)]
    share, elsewhere = (float(held.sum()) / max(held.size, 1) for held in holds)
    return _Statement(words, share, share - elsewhere)


def _shares(variable: Variable, codes: Float64) -> Float64:
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.intp), minlength=len(variable.values))
    return counts / max(codes.size, 1)


def _range(variable: Variable, numbers: Float64) -> tuple[float, float]:
    """Return where the middle 90 % of the numbers begin, and how far they reach."""
    n, ordered = numbers.size, np.sort(numbers)
    if variable.period is None:
        first = floor((n - 1) * EDGE)
        last = n - 1 - first
    else:
        most = ceil(n * (1 - 2 * EDGE)) - 1
        twice_round = np.concatenate([ordered, ordered + variable.period])
        first = int((twice_round[most : most + n] - ordered).argmin())
        last = (first + most) % n
    return float(ordered[first]), float(_above(variable, ordered[last], ordered[first]))


def _above(variable: Variable, numbers: Float64, low: float) -> Float64:
    """Return how far numbers lie above ``low``, on a circle going up; infinite if below it."""
    above = numbers - low
    if variable.period is not None:
        return above % variable.period
    return np.where(above < 0, np.inf, above)


def name_words(variable: Variable, names: Sequence[str], shared: Collection[str] = ()) -> str:
    """Return what says that a variable has one of these names.

    Words stand for themselves, unless they are among ``shared``: those that other variables have
    as well. Anything else stands behind the name of the variable.

    >>> from recognition.variable import Kind
    >>> name_words(Variable("light", Kind.NOMINAL, ("dawn", "day", "night")), ["dawn", "night"])
    'dawn or night'
    >>> name_words(Variable("camera", Kind.NOMINAL, ("1", "3", "4", "5")), ["1", "3", "4", "5"])
    'cameras 1 or 3–5'
    >>> name_words(Variable("infrared", Kind.BINARY, ("false", "true")), ["false"])
    'not infrared'
    """
    if set(variable.values) == {"false", "true"} and len(names) == 1:
        return variable.name if names[0] == "true" else f"not {variable.name}"
    if all(_WORD.fullmatch(name) and name not in shared for name in names):
        return " or ".join(names)
    singular = len(names) == 1 or variable.name.endswith(("s", "x", "z", "h", "y"))
    if all(name.isdecimal() for name in names):
        names = _runs(sorted(names, key=int))
    return f"{variable.name}{'' if singular else 's'} {' or '.join(names)}"


def range_words(variable: Variable, low: float, high: float) -> str:
    """Return what says that a variable lies from ``low`` to ``high``, rounded to what matters.

    That is a fifth of a continuous variable's scale or a 24th of a period, to the next decimal. A
    range of a cycle may go beyond the period.

    >>> from recognition.variable import Kind
    >>> range_words(Variable("light_azimuth", Kind.CONTINUOUS, scale=60), -130.2, -60)
    'light_azimuth −130 to −60'
    >>> range_words(Variable("hour", Kind.CYCLIC, period=24), 22, 28)
    'hour 22 to 4'
    """
    # Logarithms first, since a tiny scale divided is zero.
    step = log10(variable.scale) - log10(5)
    if variable.period is not None:
        step = log10(variable.period) - log10(24)
    decimals = max(0, ceil(-step))
    first, last = (_rounded(variable, number, decimals) for number in (low, high))
    return f"{variable.name} {first}" if first == last else f"{variable.name} {first} to {last}"


def _rounded(variable: Variable, number: float, decimals: int) -> str:
    number = round(number, decimals)
    if variable.period is not None:
        number %= variable.period
    text = f"{number:.{decimals}f}".replace("-", "−")
    return text.removeprefix("−") if float(number) == 0 else text


def _runs(numbers: Sequence[str]) -> list[str]:
    """Write three and more whole numbers in a row as one: 1 3 4 5 -> 1, 3–5."""
    written: list[str] = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: int(pair[1]) - pair[0]):
        row = [number for _, number in run]
        written += [f"{row[0]}–{row[-1]}"] if len(row) > 2 else row
    return written
