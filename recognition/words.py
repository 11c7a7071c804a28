"""Values of a background variable in plain words."""

import re
from collections.abc import Collection, Sequence
from itertools import groupby
from math import ceil, log10

from recognition.variable import Variable

_WORD = re.compile(r"[^\W\d_]{3,}([ _-][^\W\d_]+)*")


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
