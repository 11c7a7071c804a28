"""Commands that are loaded when they are asked for: what they import may take seconds."""

import ast
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from infra.console import err
from schemas.errors import PerennialError


class LazyCommands(TyperGroup):
    """Loads the command that is asked for, and no other; shows our own errors without a traceback.

    A command is the module of its name in ``infra.commands``. ``--help`` lists them all, so it
    reads their docstrings from the source.
    """

    panels: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The panels of ``--help``, and in them the names of the commands."""

    def __init__(self, **attributes: Any) -> None:
        listed = {
            name: TyperCommand(name, rich_help_panel=panel)
            for panel, names in self.panels.items()
            for name in names
        }
        super().__init__(**{**attributes, "commands": listed})

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; an error of ours ends it with its message and exit code."""
        try:
            return super().invoke(ctx)
        except PerennialError as error:
            err.print(str(error), style="red", markup=False)
            raise typer.Exit(error.exit_code) from error

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


def _docstring(name: str) -> str | None:
    """Return the docstring of a command's function; of a group of commands, that of its module."""
    source = Path(__file__).parent / "commands" / f"{name}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    functions = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == name]
    return ast.get_docstring(functions[0] if functions else tree)


def _loaded(name: str) -> Any:
    """Import the module of a command and return the command, or the group that its ``app`` is."""
    with _collector_at_rest():
        module = import_module(f"infra.commands.{name}")
    holder = typer.Typer(rich_markup_mode="markdown")
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=name, help=module.__doc__)
    else:
        holder.command(name)(getattr(module, name))
    return get_group(holder).commands[name]


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Look for no garbage, neither now nor later: what is imported is none, and looking is slow."""
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_at_work:
            gc.enable()
