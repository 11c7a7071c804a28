"""What is known of each image: its background, in groups for a breakdown, and as variables."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from lab.images.manifest import ManifestRow
from recognition.fitted_variable import fit_declared
from recognition.value_groups import NONE, Groups, by_quartile
from recognition.variable import Variable
from schemas.background import Declaration
from schemas.errors import BadInput, SetupError
from schemas.event import Background, Scalar

MAX_VALUES: Final = 12
"""A variable with more values is cut into quantiles, or left out where they are names."""

MAX_NAMES: Final = 40
"""A variable with more names tells the image rather than its condition."""

_MISSING = "(none)"


def backgrounds_of(
    rows: Sequence[ManifestRow], declaration: Declaration | None
) -> list[Background]:
    """Return what is known of each image: all its columns, or what is declared and derived."""
    if declaration is None:
        return [dict(row.background) for row in rows]
    return [_complete(row, declaration) for row in rows]


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
    declared = {} if declaration is None else declaration.variables
    groupings: dict[str, Groups] = {}
    for name, column in _columns(backgrounds, wanted).items():
        order = getattr(declared.get(name), "values", ())
        groups = _groups(column, order, MAX_VALUES if wanted is None else MAX_NAMES)
        if groups is None and wanted is not None:
            raise SetupError(
                f"{name!r} has more than {MAX_NAMES} names as values: too many to break down by"
            )
        if groups is not None and (wanted is not None or len(groups.names) > 1):
            groupings[name] = groups
    return groupings


def fit_variables(
    backgrounds: Sequence[Background],
    wanted: Collection[str] | None,
    declaration: Declaration | None = None,
    *,
    may_be_none: bool = False,
) -> tuple[list[Variable], dict[str, str]]:
    """Fit each variable ``wanted``, or each that can be; with the others, why they were left out.

    Raises:
        SetupError: no image has a variable that is wanted, or there is nothing to fit and there
            may not be none.
    """
    declared = {} if declaration is None else declaration.variables
    fitted: list[Variable] = []
    left_out: dict[str, str] = {}
    for name, column in _columns(backgrounds, wanted).items():
        try:
            variable = fit_declared(name, column, declared.get(name))
        except ValueError as error:
            left_out[name] = str(error)
            continue
        if wanted is None and len(variable.values) > MAX_NAMES:
            left_out[name] = f"{len(variable.values)} names; ask for it with --by {name}"
        else:
            fitted.append(variable)
    if not fitted and not may_be_none:
        why = "; ".join(left_out.values()) if left_out else "the images have no background"
        raise SetupError(f"there is no variable to look at: {why}")
    return fitted, left_out


def _complete(row: ManifestRow, declaration: Declaration) -> Background:
    sent: Background = {k: v for k, v in row.background.items() if k in declaration.variables}
    captured_at = row.taken(declaration.clock) if declaration.derived else row.captured_at
    if captured_at is None:
        return sent  # what is derived needs the time
    try:
        return declaration.complete(sent, captured_at)
    except BadInput as error:
        raise SetupError(f"{row.id}: {error}") from error


def _columns(
    backgrounds: Sequence[Background], wanted: Collection[str] | None
) -> dict[str, list[Scalar | None]]:
    """Return the values of the images by variable: of those ``wanted``, or of all."""
    names = list(dict.fromkeys(name for background in backgrounds for name in background))
    chosen = names if wanted is None else list(dict.fromkeys(wanted))
    for name in chosen:
        if name not in names:
            raise SetupError(f"no image has the variable {name!r}; known: {', '.join(names)}")
    return {name: [background.get(name) for background in backgrounds] for name in chosen}


def _groups(column: Sequence[Scalar | None], order: Sequence[str], most: int) -> Groups | None:
    """Group the values of a column; None where they are more names than ``most``."""
    present = {value for value in column if value is not None}
    numbers = {v for v in present if isinstance(v, int | float) and not isinstance(v, bool)}
    if len(numbers) == len(present) > MAX_VALUES:
        return _with_missing(by_quartile(np.array(column, np.float64)))  # None becomes NaN
    if len(present) > most:
        return None
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
