"""Images by the value of a background variable: what a breakdown is broken down by."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from lab.images.manifest import ManifestRow
from recognition.value_groups import NONE, Groups, by_quartile
from schemas.background import Declaration
from schemas.errors import BadInput, SetupError
from schemas.event import Background, Scalar
from schemas.variables import Variable

MAX_VALUES: Final = 12
"""A variable with more values is cut into quantiles, or left out where they are names."""

_MAX_ASKED = 40  # names, when the variable was asked for
_MISSING = "(none)"


def groupings(
    backgrounds: Sequence[Background],
    wanted: Collection[str] | None,
    declaration: Declaration | None = None,
) -> dict[str, Groups]:
    """Group the images by each variable ``wanted``, or by each that can be.

    Up to twelve values are groups of their own, in the declared order or sorted. More numbers
    become four quantiles; a variable of more names is left out unless it is wanted. Images without
    a value are a group as well.

    Raises:
        SetupError: no image has a variable that is wanted, or it has too many names.
    """
    names = list(dict.fromkeys(name for background in backgrounds for name in background))
    orders = {} if declaration is None else declaration.variables
    columns = {name: [background.get(name) for background in backgrounds] for name in names}
    if wanted is None:
        every = {n: _grouping(c, orders.get(n), MAX_VALUES) for n, c in columns.items()}
        return {name: g for name, g in every.items() if g is not None and len(g.names) > 1}
    chosen: dict[str, Groups] = {}
    for name in dict.fromkeys(wanted):
        if name not in columns:
            raise SetupError(f"no image has the variable {name!r}; known: {', '.join(names)}")
        grouping = _grouping(columns[name], orders.get(name), _MAX_ASKED)
        if grouping is None:
            raise SetupError(
                f"{name!r} has more than {_MAX_ASKED} names as values: too many to break down by"
            )
        chosen[name] = grouping
    return chosen


def backgrounds_of(
    rows: Sequence[ManifestRow], declaration: Declaration | None
) -> list[Background]:
    """Return what is known of each image: all its columns, or what is declared and derived.

    Raises:
        SetupError: a value is not what was declared.
    """
    if declaration is None:
        return [dict(row.background) for row in rows]
    return [_complete(row, declaration) for row in rows]


def _complete(row: ManifestRow, declaration: Declaration) -> Background:
    sent: Background = {k: v for k, v in row.background.items() if k in declaration.variables}
    if row.captured_at is None:
        return sent  # what is derived needs the time
    try:
        return declaration.complete(sent, row.captured_at)
    except BadInput as error:
        raise SetupError(f"{row.id}: {error}") from error


def _grouping(
    column: Sequence[Scalar | None], declared: Variable | None, most: int
) -> Groups | None:
    """Group the values of a column; None where they are more names than ``most``."""
    present = {value for value in column if value is not None}
    numbers = {v for v in present if isinstance(v, int | float) and not isinstance(v, bool)}
    if len(numbers) == len(present) > MAX_VALUES:
        return _with_missing(by_quartile(np.array(column, np.float64)))  # None becomes NaN
    if len(present) > most:
        return None
    order = getattr(declared, "values", ())
    ordered = sorted(numbers) + sorted(present - numbers, key=str)
    ordered.sort(key=lambda v: order.index(v) if v in order else len(order))
    names = list(dict.fromkeys(map(_text, ordered)))
    codes = [NONE if value is None else names.index(_text(value)) for value in column]
    return _with_missing(Groups(tuple(names), np.array(codes, np.intp)))


def _text(value: Scalar) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _with_missing(groups: Groups) -> Groups:
    """Make a group of what is in none, if there is any."""
    missing = groups.codes == NONE
    if not missing.any():
        return groups
    return Groups((*groups.names, _MISSING), np.where(missing, len(groups.names), groups.codes))
