"""Events made of what somebody typed."""

from collections.abc import Callable
from typing import TypeVar

import typer
from pydantic import ValidationError

T = TypeVar("T")


def checked(make: Callable[[], T]) -> T:
    """Return ``make()``; where it breaks a rule of the event, say so as wrong usage."""
    try:
        return make()
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter("; ".join(problems)) from error
