"""``perennial``: the command line. What a command does is in its module of `infra.commands`."""

from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperGroup

from infra import logs
from infra.commands import (
    activate,
    demo,
    doctor,
    enrol,
    evaluate,
    fit,
    gallery,
    model,
    publish,
    review,
    saliency,
    schema,
    services,
    simulate,
    topics,
    torture,
    train,
    up,
    watch,
    whatif,
)
from infra.commands.panels import ORDER
from infra.console import err
from schemas.errors import DependencyDown, PerennialError, SetupError


class Perennial(TyperGroup):
    """Says our own errors in one paragraph without a traceback, each class with its exit code."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the commands in the order in which they are met."""
        return sorted(super().list_commands(ctx), key=ORDER.index)

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


_COMMANDS = (
    *(demo, up, doctor, publish, enrol, watch, review, gallery),
    *(train, evaluate, saliency, fit, simulate, whatif, activate, model),
    *(topics, services, torture, schema),
)
for module in _COMMANDS:
    module.register(app)


def main() -> None:
    """Run the command line."""
    app(prog_name="perennial")


def _exit_code(error: PerennialError) -> int:
    if isinstance(error, SetupError):
        return 2
    return 3 if isinstance(error, DependencyDown) else 1


if __name__ == "__main__":
    main()
