"""Create the topics, or see how they stand."""

from dataclasses import asdict
from typing import Annotated

import typer

from client.admin import create_topics, describe_topics, fix_topics, refuse_faults
from infra.commands.options import Json
from infra.console import out, print_json, say
from lab.shown.tables import table
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True)


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
            say(f"altered  {line}")
        for topic in stand:
            for difference in topic.differences:
                say(f"differs  {topic.name}: {difference}")
    refuse_faults(settings, stand)


@app.command()
def describe(*, json: Json = False) -> None:
    """Show each topic: partitions, records, configuration, and how it departs from the table.

    Exit 1 when one is missing or departs from it.

    Example:  perennial topics describe
    """
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
