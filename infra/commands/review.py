"""See what could not be recognised, and say what it is."""

import asyncio
import contextlib
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from client import reviews
from client.pictures import file_name, picture_of
from infra.commands.options import Actor, Json, Limit, Manifest, Source, checked
from infra.console import err, out, print_json, say
from lab.images.manifest import labels_of, read_manifest
from lab.shown.tables import table
from schemas.errors import SetupError
from schemas.recognition_event import ReviewDecision, ReviewItem
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True)

EventArgument = Annotated[
    str, typer.Argument(metavar="EVENT", help="As `review list` shows it, or its bare id or path.")
]


@app.command("list")
def list_open(*, limit: Limit = None, json: Json = False) -> None:
    """List the items that wait for an answer, the oldest first.

    Example:  perennial review list
    """
    items = asyncio.run(reviews.open_items(load_settings()))
    shown = items[:limit]
    if json:
        print_json([item.model_dump(mode="json", exclude={"vector"}) for item in shown])
        return
    grid = table("event", "source", "why", "nearest", "distance", "threshold", "quality")
    for item in shown:
        grid.add_row(item.event_id, item.source, item.reason, *_nearest(item), _quality(item))
    out.print(grid)
    out.print(
        f"{len(items)} open; see one with: perennial review picture EVENT, and answer with: "
        "perennial review answer EVENT IDENTITY"
    )


@app.command()
def picture(
    event: EventArgument,
    *,
    to: Annotated[
        Path,
        typer.Option(
            metavar="FILE|FOLDER", help="Where to write it; in a folder it is named by the event."
        ),
    ] = Path(),
    json: Json = False,
) -> None:
    """Write the picture of what an item asks about: the photograph, or the region of it.

    It comes from the frames topic, for as long as that keeps it.

    Example:  perennial review picture north/0412.jpg --to look.jpg
    """
    name, image = asyncio.run(_picture(event))
    path = to / file_name(name, image) if to.is_dir() else to
    try:
        path.write_bytes(image)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    if json:
        print_json({"event_id": name, "path": str(path)})
    else:
        out.print(str(path), markup=False, soft_wrap=True)


async def _picture(event: str) -> tuple[str, bytes]:
    settings = load_settings()
    item = await reviews.find_item(settings, event)
    return item.event_id, await picture_of(settings, item)


@app.command()
def show(event: EventArgument, *, json: Json = False) -> None:
    """Show all that is known of one item, answered or not.

    Example:  perennial review show north/0412.jpg
    """
    item = asyncio.run(reviews.find_item(load_settings(), event))
    told = item.model_dump(mode="json", exclude={"vector"})
    if json:
        print_json(told)
        return
    grid = table("what", "value")
    for name, value in told.items():
        grid.add_row(name, value if isinstance(value, str) else dumps(value, ensure_ascii=False))
    out.print(grid)


@app.command()
def answer(
    event: EventArgument,
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
    settings = load_settings()
    given = reviews.answer(settings, event, identity, actor=actor, comment=comment)
    name = checked(lambda: asyncio.run(given))
    say(f"{name}: {identity or 'cannot tell'}, says {actor}")


@app.command()
def auto(
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
    answered = 0

    def on_answer(decision: ReviewDecision) -> None:
        nonlocal answered
        answered += 1
        if json:
            print_json({"event_id": decision.id, "identity": decision.identity})
        else:
            say(f"{decision.id}: {decision.identity}")

    answering = reviews.answer_by_labels(
        load_settings(), labels, actor=actor, idle_s=idle, on_answer=on_answer
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(answering)
    err.print(f"answered {answered}")


def _quality(item: ReviewItem) -> str:
    return "" if item.quality is None else f"{item.quality.overall:.2f}"


def _nearest(item: ReviewItem) -> tuple[str, str, str]:
    return (
        item.candidates[0].identity if item.candidates else "",
        "" if item.distance is None else f"{item.distance:.3f}",
        "" if item.threshold is None else f"{item.threshold:.3f}",
    )
