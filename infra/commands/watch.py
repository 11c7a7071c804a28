"""``perennial watch``: see what flows through a topic."""

import asyncio
import contextlib
from typing import Annotated

import typer

from client.event_lines import as_json, line
from client.reader import reader
from infra.commands.options import Json
from infra.console import out, print_json
from schemas.settings import Settings, load_settings
from schemas.topics import IDENTIFICATIONS, TOPICS, Topic


def watch(
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help=f"One of {', '.join(TOPICS)}.")
    ] = IDENTIFICATIONS.name,
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with what lies there.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many.")] = None,
    json: Json = False,
) -> None:
    """Show events as they come, one a line, until Ctrl-C.

    Example:  perennial watch identifications --json | jq -r .identity
    """
    if topic not in TOPICS:
        raise typer.BadParameter(
            f"{topic!r}: choose one of {', '.join(TOPICS)}", param_hint="TOPIC"
        )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(load_settings(), TOPICS[topic], from_beginning, limit, json))


async def _watch(
    settings: Settings, topic: Topic, from_beginning: bool, limit: int | None, json: bool
) -> None:
    shown = 0
    async with reader(settings, topic, from_beginning=from_beginning) as records:
        while True:
            for record in await records.batch(1.0):
                if json:
                    print_json(as_json(topic, record))
                else:
                    out.print(line(topic, record), soft_wrap=True)
                shown += 1
                if shown == limit:
                    return
