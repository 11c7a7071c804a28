"""Where the command line writes: answers to stdout, everything about them to stderr."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

out = Console(highlight=False)
# A message is one line, however long: a path that is broken in two can be neither read nor copied.
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Write one line to stdout as it is, however long."""
    out.print(text, markup=False, soft_wrap=True)


def warn(text: str) -> None:
    """Write one line of warning to stderr."""
    err.print(text, style="yellow", markup=False)


def warn_of_refused(refused: Mapping[str, str], what: str = "left out") -> None:
    """Warn of each image that is not used, by its path, with the reason."""
    for path, why in refused.items():
        warn(f"{what} {path}: {why}")


def print_json(value: Any) -> None:
    """Write ``value`` to stdout as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_markdown(text: str) -> None:
    """Write a report to stdout, as the terminal shows it."""
    from lab.shown.markdown import TerminalMarkdown  # here, so that `--help` is fast

    out.print(TerminalMarkdown(text))


def show_version(wanted: bool) -> None:
    """Write which version this is, and end the program; the callback of ``--version``."""
    if wanted:
        typer.echo(f"perennial {version('perennial')}")
        raise typer.Exit


def progress() -> Progress:
    """Return a progress bar on stderr, which leaves no trace when it is done."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
