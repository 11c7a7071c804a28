"""``perennial demo``: a year in less than a minute, through everything there is."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import OwnBroker
from infra.console import out
from infra.demo.run import Plan, photographs, rendered
from infra.demo.show import Show
from schemas.settings import load_settings

_PLACES = 24
_WINDOW = 32


def demo(
    *,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST.CSV",
            exists=True,
            dir_okay=False,
            help="Stream these images, in time order, instead of the rendered year.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N images of the manifest.")
    ] = None,
    frames: Annotated[int, typer.Option(min=4, help="How many frames the year has.")] = 1200,
    seed: Annotated[int, typer.Option(help="Another one renders another trail.")] = 7,
    rate: Annotated[float, typer.Option(min=0.1, help="Frames per second, at most.")] = 30.0,
    model: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Model folder for the worker."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the summary here.")
    ] = None,
    picture: Annotated[
        Path, typer.Option(metavar="FILE", help="Save a few frames with their outcome here.")
    ] = Path("perennial-demo.png"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")
    ] = False,
    broker: OwnBroker = None,
) -> None:
    """Stream a year of frames through a broker, a worker and the matcher, and watch it learn.

    Twenty-four rendered places through four seasons, or your own images. Whatever is not
    recognised goes to a person (here: the labels answer), and the answer teaches the gallery. Ends
    by itself; exit 1 when a frame was lost.

    Example:  perennial demo --json summary.json

    Example:  perennial demo --images manifest.csv --limit 1500
    """
    given = {"model": None if model is None else model.resolve(), "broker": broker}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    if images is None:
        source, total = rendered(frames, _PLACES, seed), frames
        title = f"Perennial: a year along a trail, {_PLACES} places"
    else:
        source, total = photographs(images, limit)
        title = f"Perennial: {images.resolve().parent.name}"
    plan = Plan(total, rate, _WINDOW)
    show = Show(out, title, plan)
    summary = show.play(settings, source, picture=picture, json_file=json_file, keep=keep)
    if summary.lost:
        raise typer.Exit(1)
