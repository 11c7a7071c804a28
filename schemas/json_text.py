"""JSON as it comes in: counted on its bytes, before anything is built of it."""

import json
import re
from collections.abc import Sequence
from reprlib import repr as short
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.errors import BadInput
from schemas.limits import MAX_JSON_VALUES

_TOLD = 3
_LARGE = 2**20

_lone_surrogate = re.compile("[\ud800-\udfff]")


def counted(text: bytes) -> bytes:
    """Return the text where it can hold no more than :data:`MAX_JSON_VALUES` values.

    A comma or a bracket is counted wherever it stands, in a string too: so it takes no parser.

    Raises:
        BadInput: ``too_many_values``.
    """
    if len(text) <= MAX_JSON_VALUES:
        return text
    values = 1 + sum(map(text.count, (b",", b"[", b"{")))
    if values > MAX_JSON_VALUES:
        raise BadInput(
            "too_many_values",
            f"JSON of about {values} values (commas and brackets); at most {MAX_JSON_VALUES}",
        )
    return text


def read_json(text: bytes) -> Any:
    """Return what the text says.

    Raises:
        BadInput: ``too_many_values``.
        ValueError: it is no JSON, which NaN and Infinity are not.
    """
    counted(text)
    if len(text) > _LARGE:
        # Python would hold the whole of it beside what it says, in up to four bytes a letter.
        return from_json(text, allow_inf_nan=False)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def is_text(value: str) -> bool:
    """Tell whether UTF-8 can carry it: JSON can spell half a character, no header can hold it."""
    return _lone_surrogate.search(value) is None


def mistakes(error: ValidationError) -> str:
    """Return the first mistakes of many, each with its place; what was given is not repeated."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults[:_TOLD])
    more = len(faults) - _TOLD
    return told if more <= 0 else f"{told}; and {more} more"


def _place(path: Sequence[int | str]) -> str:
    return ".".join(p if len(p) <= 40 else short(p) for p in map(str, path)) or "value"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; leave a missing value out")
