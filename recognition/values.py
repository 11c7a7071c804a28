"""Values of background variables as they come: text, numbers, truth values, or nothing."""

import math
from collections.abc import Sequence

Scalar = str | bool | int | float


def is_missing(value: object) -> bool:
    """Tell whether there is no value: None, empty text or NaN."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and not value)


def is_number(value: object) -> bool:
    """Tell whether a value is a number by its type; true and false are names."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_text(value: Scalar) -> str:
    """Return a value as a name; 1, 1.0 and "1" are one.

    >>> [as_text(value) for value in (1, 1.0, "1", 1.5, True)]
    ['1', '1', '1', '1.5', 'true']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def as_number(value: object) -> float | None:
    """Return a finite number, also one written as text; None for anything else.

    >>> [as_number(value) for value in (7, "7.5", True, "seven", "inf", None)]
    [7.0, 7.5, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # no number; an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def names_of(values: Sequence[Scalar]) -> tuple[str, ...]:
    """Return the different values as names, in order: by size where all are numbers.

    >>> names_of([10, 9.0, 9]), names_of(["10", "9"])
    (('9', '10'), ('10', '9'))
    """
    by_size = all(is_number(value) for value in values)
    return tuple(sorted({as_text(value) for value in values}, key=float if by_size else None))
