"""How a benchmark is started: its options on the command line, its errors in one paragraph."""

import sys
from collections.abc import Callable

import typer

from infra.console import err
from schemas.errors import PerennialError


def command(main: Callable[..., None]) -> None:
    """Run ``main`` with what the command line says; exit 2 where the setup is wrong."""
    app = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
    )
    app.command()(main)
    try:
        app()
    except PerennialError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(2)
