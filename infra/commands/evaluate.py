"""``perennial evaluate``: how well a model recognises identities that it was not trained on."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import Json, Manifest, Splits, folder_out, share_option
from infra.console import err, print_markdown, progress, warn, warn_of_refused
from lab.evaluate.exam import FPIRS
from lab.evaluate.run import EvaluationRequest, run, write
from lab.evaluate.words import summary
from lab.images.embed import default_model
from recognition.paper_distances import Distance
from schemas.choices import Views
from schemas.settings import load_settings


def evaluate(
    manifest: Manifest,
    *,
    splits: Splits = None,
    split: Annotated[
        list[int] | None, typer.Option(min=0, help="Only this split; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder, with {split} in it where each split has its own; `plain` is the "
            "backbone as it comes. Repeated, they are compared with the first. Else the model "
            "that the settings name.",
        ),
    ] = None,
    distance: Annotated[
        list[Distance] | None,
        typer.Option(
            metavar="NAME", help=f"How to compare, one of {', '.join(Distance)}; may be repeated."
        ),
    ] = None,
    views: Annotated[
        list[Views] | None,
        typer.Option(help="Views of each image, the mean taken; may be repeated to compare them."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIABLE",
            help="Break down by this variable; may be repeated. Else by each of few values.",
        ),
    ] = None,
    fpir: Annotated[
        list[float] | None,
        share_option("Share of unknown probes that may get a name; may be repeated."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws behind an interval.")] = 1000,
    folder: Annotated[Path | None, folder_out("Write JSON, Markdown and pictures here.")] = None,
    json: Json = False,
) -> None:
    """Measure how well identities are recognised that the model was not trained on.

    Probes are looked up in a gallery, split by split: how many known ones are found, at how many
    unknown ones that are given a name. Needs no broker and no Redis.

    Example:  perennial evaluate herd.csv --out evaluation

    Example:  perennial evaluate herd.csv --model plain --model models/herd-{split}

    Example:  perennial evaluate herd.csv --views none --views flip --views crops
    """
    settings = load_settings()
    default = default_model(settings)
    request = EvaluationRequest(
        manifest=manifest,
        splits=splits,
        numbers=split,
        models=list(dict.fromkeys([default] if model is None else model)),
        distances=list(dict.fromkeys([Distance.COSINE] if distance is None else distance)),
        views=list(dict.fromkeys([settings.views] if views is None else views)),
        by=by,
        fpirs=FPIRS if fpir is None else fpir,
        draws=draws,
    )
    with progress() as bar:
        evaluation, assessed = run(request, settings, bar)
    warn_of_refused(evaluation.refused)
    if json:
        typer.echo(evaluation.model_dump_json())
    else:
        print_markdown(summary(evaluation))
    for unfit in (name for name in request.distances if name is not Distance.COSINE):
        warn(f"{unfit} is for measuring only: the stream compares by the cosine")
    if folder is not None:
        write(folder, evaluation, assessed)
        err.print(f"wrote {folder / 'evaluation.md'}, evaluation.json and the pictures")
