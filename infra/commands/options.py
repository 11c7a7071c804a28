"""Options that several commands share, so that they mean the same everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from schemas.choices import BrokerKind
from schemas.errors import problems_of

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the change.")]
Actor = Annotated[str, typer.Option(help="Who; it is kept with the change.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many.")]
Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST.CSV",
        exists=True,
        dir_okay=False,
        help="path,label,captured_at, then one column per background variable.",
    ),
]
Source = Annotated[str, typer.Option(help="The camera, where the manifest names none.")]
Splits = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="split,scenario,path,part,role; else splits.csv beside the manifest, or new ones.",
    ),
]

Model = Annotated[
    str | None,
    typer.Option(
        help="Model folder, or a path with {split} in it; `plain` is the backbone as it comes. "
        "Else the model that the settings name.",
    ),
]

OwnBroker = Annotated[
    BrokerKind | None,
    typer.Option(
        "--broker",
        help="Broker to start where no address is named: `apache` needs Java 17 and Maven. "
        "Else what PERENNIAL_BROKER says.",
    ),
]


def folder_out(what: str) -> Any:
    """Return the option ``--out``: a folder that ``what`` is written to."""
    return typer.Option("--out", file_okay=False, help=what)


def share_option(what: str) -> Any:
    """Return an option whose value is a share between 0 and 1, such as ``--fpir``."""
    return typer.Option(help=what, parser=share, metavar="SHARE")


def size_of(text: str) -> tuple[int, int]:
    """Read ``160x96``, the value of ``--size``: height, then width."""
    height, x, width = text.lower().partition("x")
    if not (x and height.isdecimal() and width.isdecimal()):
        raise typer.BadParameter(f"{text!r}; write 160x96: height, then width", param_hint="--size")
    return int(height), int(width)


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Read ``.485,.456,.406``, the value of an option."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r}; write .485,.456,.406", param_hint=option) from None


def share(text: str) -> float:
    """Read ``0.05``, the value of ``--fpir``: a parser for :class:`typer.Option`."""
    value = float(text)
    if not 0 < value < 1:
        raise typer.BadParameter(f"{text} is no share between 0 and 1; 0.05 is 5 %")
    return value


def checked(make: Callable[[], T]) -> T:
    """Return ``make()``; where it breaks a rule of the event, say so as wrong usage."""
    try:
        return make()
    except ValidationError as error:
        raise typer.BadParameter(problems_of(error)) from error
