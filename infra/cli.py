"""``perennial``: the command line; a command is the module of its name in `infra.commands`."""

from importlib.metadata import version
from typing import Annotated

import typer

from infra import logs
from infra.console import err
from infra.lazy_commands import LazyCommands
from schemas.errors import DependencyDown, PerennialError, SetupError

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
    """Runs the command that is asked for; shows our own errors without a traceback."""

    panels = PANELS

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command: exit 2 when the setup is wrong, 3 when a dependency is down."""
        try:
            return super().invoke(ctx)
        except PerennialError as error:
            err.print(str(error), style="red", markup=False)
            raise typer.Exit(_exit_code(error)) from error


app = typer.Typer(
    cls=Perennial,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # a bug of ours is for the log: plain, all of it
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are PERENNIAL_* variables: docs/configuration.md lists them. "
    "Exit codes: 1 something was lost, 2 the setup is wrong, 3 a dependency is down.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"perennial {version('perennial')}")
        raise typer.Exit


@app.callback()
def perennial(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log in detail.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
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


def _exit_code(error: PerennialError) -> int:
    if isinstance(error, SetupError):
        return 2
    return 3 if isinstance(error, DependencyDown) else 1


if __name__ == "__main__":
    main()
