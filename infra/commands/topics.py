"""``perennial topics``: create and describe what is on the broker."""

from dataclasses import asdict
from typing import Annotated

import typer

from infra.commands.options import Json
from infra.commands.panels import panel
from infra.console import out, print_json
from lab.shown.tables import table
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(
        app,
        name="topics",
        rich_help_panel=panel("topics"),
        help="Create the topics, or see how they stand.",
    )


@app.command()
def create(
    *,
    replication: Annotated[
        int | None,
        typer.Option(min=1, help="Replicas of each; as many as there are brokers, 3 at most."),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Alter what differs from the table and can be altered.")
    ] = False,
    json: Json = False,
) -> None:
    """Create the topics that are missing; a second time changes nothing.

    Exit 2 when a topic was there before and is so that no service could start on it.

    Example:  perennial topics create

    Example:  perennial topics create --fix
    """
    from client.admin import create_topics, describe_topics, fix_topics, refuse_faults

    settings = load_settings()
    states = create_topics(settings, replication)
    fixed = fix_topics(settings) if fix else []
    stand = describe_topics(settings)
    if json:
        print_json(states)
    else:
        for name, state in states.items():
            out.print(f"{state:8} {name}", markup=False)
        for line in fixed:
            out.print(f"altered  {line}", markup=False, soft_wrap=True)
        for found in stand:
            for difference in found.differences:
                out.print(f"differs  {found.name}: {difference}", markup=False, soft_wrap=True)
    refuse_faults(settings, stand)


@app.command()
def describe(*, json: Json = False) -> None:
    """Show each topic: partitions, records, configuration, and how it departs from the table.

    Exit 1 when one is missing or departs from it.

    Example:  perennial topics describe
    """
    from client.admin import describe_topics

    states = describe_topics(load_settings())
    if json:
        print_json([asdict(state) for state in states])
    else:
        grid = table("topic", "partitions", "records", "cleanup", "differs")
        for state in states:
            grid.add_row(
                state.name,
                str(state.partitions),
                str(state.records),
                state.config.get("cleanup.policy", ""),
                "; ".join(state.differences),
            )
        out.print(grid)
    if any(state.differences for state in states):
        raise typer.Exit(1)
