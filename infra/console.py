"""Where the command line writes: answers to stdout, everything about them to stderr.

Most of what is written comes from topics, to which others publish. So text is text: markup counts
only in what is made as markup, and what no eye can see is spelled out.
"""

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment

from schemas.visible import visible, visible_lines

_INVISIBLE_IN_JSON = re.compile(
    "[\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)


class Screen(Console):
    """A console on which whatever is shown is visible, and nothing of it a command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is written; commands to the terminal are those of rich alone."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


out = Screen()
# A message is one line, however long: a path that is broken in two can be neither read nor copied.
err = Screen(stderr=True, soft_wrap=True)


def say(text: str) -> None:
    """Write one line to stdout, however long."""
    out.print(visible(text), soft_wrap=True)


def warn(text: str) -> None:
    """Write one line of warning to stderr."""
    err.print(visible(text), style="yellow")


def warn_of_refused(refused: Mapping[str, str], what: str = "left out") -> None:
    """Warn of each image that is not used, by its path, with the reason."""
    for path, why in refused.items():
        warn(f"{what} {path}: {why}")


def print_json(value: Any) -> None:
    """Write ``value`` to stdout as one line of JSON, in which all text can be seen."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    typer.echo(_INVISIBLE_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], text))


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
