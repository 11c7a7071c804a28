"""``perennial``: the command line; a command is the module of its name in `infra.commands`."""

import ast
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from infra import logs
from infra.console import err
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


class Perennial(TyperGroup):
    """Loads the command that is asked for, and no other; shows our own errors without a traceback.

    ``--help`` lists all commands, so it reads their docstrings from the source: what they import
    may take seconds.
    """

    def __init__(self, **attributes: Any) -> None:
        listed = {
            name: TyperCommand(name, rich_help_panel=panel)
            for panel, names in PANELS.items()
            for name in names
        }
        super().__init__(**{**attributes, "commands": listed})

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Return a command as the list of commands shows it."""
        command = super().get_command(ctx, cmd_name)
        if command is not None and command.help is None:
            command.help = _docstring(cmd_name)
        return command

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Return the name of the command asked for, the command itself, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if name is None or command is None else _loaded(name), rest

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


def _docstring(name: str) -> str | None:
    """Return the docstring of a command's function; of a group of commands, that of its module."""
    source = Path(__file__).parent / "commands" / f"{name}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    functions = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == name]
    return ast.get_docstring(functions[0] if functions else tree)


def _loaded(name: str) -> Any:
    """Import the module of a command and return the command, or the group that its ``app`` is."""
    module = import_module(f"infra.commands.{name}")
    holder = typer.Typer(rich_markup_mode="markdown")
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=name, help=module.__doc__)
    else:
        holder.command(name)(getattr(module, name))
    return get_group(holder).commands[name]


def _exit_code(error: PerennialError) -> int:
    if isinstance(error, SetupError):
        return 2
    return 3 if isinstance(error, DependencyDown) else 1


if __name__ == "__main__":
    main()
