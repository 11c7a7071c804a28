"""``perennial``: the command line; a command is the module of its name in `infra.commands`."""

from typing import Annotated

import typer

from infra import logs
from infra.console import show_version
from infra.lazy_commands import LazyCommands

PANELS = {
    "Start here": ("demo", "up", "doctor"),
    "Frames in": ("publish", "enrol"),
    "Answers out": ("watch", "review", "gallery"),
    "Models": ("train", "evaluate", "saliency", "fit", "simulate", "whatif", "activate", "model"),
    "Run the parts": ("topics", "worker", "streams", "torture"),
    "Documents": ("schema",),
}
"""The panels of ``--help``, and in them the commands, in the order in which they are met."""


class Perennial(LazyCommands):
    """Runs the command that is asked for."""

    panels = PANELS


app = typer.Typer(
    cls=Perennial,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # a bug of ours is for the log: plain, all of it
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are PERENNIAL_* variables: docs/configuration.md lists them. "
    "Exit codes: 1 something was lost, 2 the setup is wrong, 3 a dependency is down.",
)


@app.callback()
def perennial(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log in detail.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Recognise the same thing through every season.

    Frames with metadata go in, identifications come out; what cannot be recognised goes to a
    person, whose answer teaches it.
    """
    logs.configure(verbose=verbose)


def main() -> None:
    """Run the command line."""
    app(prog_name="perennial")


if __name__ == "__main__":
    main()
