"""``perennial review``: what people are asked, and their answers."""

import asyncio
import contextlib
import time
from typing import Annotated

import typer

from infra.commands.checked import checked
from infra.commands.options import Actor, Json, Manifest, Source
from infra.commands.panels import panel
from infra.console import err, out, print_json
from lab.images.labels import labels_of
from lab.images.manifest import read_manifest
from lab.shown.tables import table
from schemas.recognition_event import ReviewItem
from schemas.review import ReviewDecision
from schemas.settings import Settings, load_settings
from schemas.topics import REVIEW_DECISIONS

app = typer.Typer(no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(
        app,
        name="review",
        rich_help_panel=panel("review"),
        help="See what could not be recognised, and say what it is.",
    )


@app.command("list")
def list_open(
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    json: Json = False,
) -> None:
    """List the items that wait for an answer, the oldest first.

    Example:  perennial review list
    """
    from client.reviews import open_items

    items = asyncio.run(open_items(load_settings()))
    shown = items[:limit]
    if json:
        print_json([item.model_dump(mode="json", exclude={"vector"}) for item in shown])
        return
    grid = table("event", "source", "why", "nearest", "distance", "threshold")
    for item in shown:
        grid.add_row(item.event_id, item.source, item.reason, *_nearest(item))
    out.print(grid)
    out.print(f"{len(items)} open; answer with: perennial review answer EVENT IDENTITY")


@app.command("answer")
def give(
    event: Annotated[
        str,
        typer.Argument(metavar="EVENT", help="As `review list` shows it, or its bare id or path."),
    ],
    identity: Annotated[
        str | None, typer.Argument(metavar="IDENTITY", help="Who or what it is.")
    ] = None,
    *,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="I cannot tell either, instead of an identity.")
    ] = False,
    actor: Actor = "cli",
    comment: Annotated[str, typer.Option(help="Kept with the answer.")] = "",
) -> None:
    """Say what an item shows. A second answer corrects the first.

    Example:  perennial review answer north/0412.jpg Bella
    """
    if unknown == (identity is not None):
        raise typer.BadParameter("give an identity, or --unknown", param_hint="IDENTITY")
    name = asyncio.run(_give(load_settings(), event, identity, actor, comment))
    out.print(f"{name}: {identity or 'cannot tell'}, says {actor}", markup=False, soft_wrap=True)


@app.command("auto")
def automatic(
    manifest: Manifest,
    *,
    actor: Actor = "oracle",
    source: Source = "cli",
    idle: Annotated[
        float | None,
        typer.Option(min=0, help="End after so many seconds without an item; else Ctrl-C ends it."),
    ] = None,
    json: Json = False,
) -> None:
    """Answer with the labels of a manifest: the oracle of experiments.

    Example:  perennial review auto herd.csv
    """
    labels = labels_of(read_manifest(manifest), source)
    answered = _Answered(json)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_automatic(load_settings(), labels, actor, idle, answered))
    err.print(f"answered {answered.count}")


class _Answered:
    """Shows each answer, counts them, and knows when the last one was."""

    def __init__(self, json: bool) -> None:
        self._json = json
        self.count = 0
        self.last = time.monotonic()

    def __call__(self, decision: ReviewDecision) -> None:
        self.count += 1
        self.last = time.monotonic()
        if self._json:
            print_json({"event_id": decision.id, "identity": decision.identity})
        else:
            out.print(f"{decision.id}: {decision.identity}", markup=False, soft_wrap=True)


async def _give(
    settings: Settings, event: str, identity: str | None, actor: str, comment: str
) -> str:
    from client.kafka import producer
    from client.reviews import find_item

    item = await find_item(settings, event)
    decision = checked(
        lambda: ReviewDecision(item=item, identity=identity, actor=actor, comment=comment)
    )
    async with producer(settings, REVIEW_DECISIONS) as broker:
        await broker.send(decision.record(settings.topic(REVIEW_DECISIONS)))
    return item.event_id


async def _automatic(
    settings: Settings,
    labels: dict[str, str],
    actor: str,
    idle: float | None,
    answered: _Answered,
) -> None:
    from client.oracle import answer

    stop = asyncio.Event()
    work = asyncio.create_task(answer(settings, labels, stop, actor=actor, on_answer=answered))
    while not work.done():
        await asyncio.wait([work], timeout=0.1)
        if idle is not None and time.monotonic() - answered.last > idle:
            stop.set()
    await work


def _nearest(item: ReviewItem) -> tuple[str, str, str]:
    return (
        item.candidates[0].identity if item.candidates else "",
        "" if item.distance is None else f"{item.distance:.3f}",
        "" if item.threshold is None else f"{item.threshold:.3f}",
    )
