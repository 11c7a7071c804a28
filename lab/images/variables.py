"""The variables that are looked at, fitted to their values."""

from collections.abc import Collection, Sequence
from typing import Final

from recognition.fitted_variable import fit_declared
from recognition.variable import Variable
from schemas.background import Declaration
from schemas.errors import SetupError
from schemas.event import Background

MOST_NAMES: Final = 40
"""A variable with more names tells the image rather than its condition."""


def fit_variables(
    backgrounds: Sequence[Background],
    wanted: Collection[str] | None,
    declaration: Declaration | None = None,
) -> tuple[list[Variable], dict[str, str]]:
    """Fit each variable ``wanted``, or each that can be; with the others, why they were left out.

    Raises:
        SetupError: no image has a variable that is wanted, or there is nothing to fit.
    """
    fitted, left_out = fit_what_varies(backgrounds, wanted, declaration)
    if not fitted:
        why = "; ".join(left_out.values()) if left_out else "the images have no background"
        raise SetupError(f"there is no variable to look at: {why}")
    return fitted, left_out


def fit_what_varies(
    backgrounds: Sequence[Background],
    wanted: Collection[str] | None,
    declaration: Declaration | None = None,
) -> tuple[list[Variable], dict[str, str]]:
    """Fit as :func:`fit_variables` does; there may be nothing to fit.

    Raises:
        SetupError: no image has a variable that is wanted.
    """
    names = list(dict.fromkeys(name for background in backgrounds for name in background))
    declared = {} if declaration is None else declaration.variables
    fitted: list[Variable] = []
    left_out: dict[str, str] = {}
    for name in names if wanted is None else dict.fromkeys(wanted):
        if name not in names:
            raise SetupError(f"no image has the variable {name!r}; known: {', '.join(names)}")
        try:
            column = [background.get(name) for background in backgrounds]
            variable = fit_declared(name, column, declared.get(name))
        except ValueError as error:
            left_out[name] = str(error)
            continue
        if wanted is None and len(variable.values) > MOST_NAMES:
            left_out[name] = f"{len(variable.values)} names; ask for it with --by {name}"
        else:
            fitted.append(variable)
    return fitted, left_out
