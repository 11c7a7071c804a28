"""Two JSON values compared: what is no fraction must be equal, fractions nearly."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

VOLATILE: Final = frozenset({"made_at", "image_ms", "frames_per_s"})
"""Keys under which the time is told, or how long something took: never compared, never stored."""

_ROUNDING: Final = 1e-12
"""What rounding leaves where two equal numbers are subtracted."""


def stable(value: Any, without: frozenset[str] = frozenset()) -> Any:
    """Return a JSON value without the volatile keys and those in ``without``, at any depth."""
    if isinstance(value, Mapping):
        dropped = VOLATILE | without
        return {key: stable(each, without) for key, each in value.items() if key not in dropped}
    if isinstance(value, list | tuple):
        return [stable(each, without) for each in value]
    return value


def differences(
    expected: Any, value: Any, tolerance: float, *, by_norm: bool = False, path: str = "$"
) -> Iterator[str]:
    """Yield the path of each difference, with both sides of it.

    Args:
        expected: what it once was.
        value: what it is.
        tolerance: numbers with a fraction may differ by this share of the larger one.
        by_norm: take a list of such numbers for a vector, which may differ by that share of its
            norm; else each of them counts.
        path: where these two values lie.
    """
    if isinstance(expected, dict) and isinstance(value, dict):
        for key in sorted(expected.keys() ^ value.keys()):
            yield f"{path}.{key}: {'missing' if key in expected else 'new'}"
        pairs = [(f".{key}", expected[key], value[key]) for key in expected if key in value]
    elif isinstance(expected, list) and isinstance(value, list) and len(expected) == len(value):
        if by_norm and _is_vector(expected) and _is_vector(value):
            yield from _apart(expected, value, tolerance, path)
            return
        both = zip(expected, value, strict=True)
        pairs = [(f"[{index}]", *pair) for index, pair in enumerate(both)]
    else:
        yield from _unequal(expected, value, tolerance, path)
        return
    for step, old, new in pairs:
        yield from differences(old, new, tolerance, by_norm=by_norm, path=path + step)


def _is_vector(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, float) for value in values)


def _apart(expected: list[float], value: list[float], tolerance: float, path: str) -> Iterator[str]:
    share = np.linalg.norm(np.subtract(value, expected)) / np.linalg.norm(expected)
    if not share <= tolerance:
        yield f"{path}: a vector, {share:.3g} of its norm away"


def _unequal(expected: Any, value: Any, tolerance: float, path: str) -> Iterator[str]:
    if isinstance(expected, float) and isinstance(value, float):
        same = math.isclose(expected, value, rel_tol=tolerance, abs_tol=_ROUNDING)
    else:
        same = type(expected) is type(value) and expected == value
    if not same:
        yield f"{path}: {value!r}, not {expected!r}"
