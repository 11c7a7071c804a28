"""``perennial simulate``: how much work a deployment would be, and how well it would do."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.options import Json, Manifest, Model, Splits, folder_out, share_option
from infra.console import err, print_markdown, progress, warn, warn_of_refused
from lab.images.embed import default_model
from lab.simulate.files import PICTURES, REPORT, write
from lab.simulate.frames import SimulationRequest
from lab.simulate.report import summary
from lab.simulate.run import run
from lab.simulate.variants import NONE
from schemas.settings import load_settings

_WRONG = (0.0, 0.05)


def simulate(
    manifest: Manifest,
    *,
    splits: Splits = None,
    split: Annotated[
        int | None,
        typer.Option(
            min=0, help="Only its test part, which model and conditioning have not seen; else all."
        ),
    ] = None,
    model: Model = None,
    conditioning: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="What `perennial fit` wrote, or a path with {split} in it; may be repeated to "
            "compare, also with `none`.",
        ),
    ] = None,
    wrong: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Share of the answers that are wrong; may be repeated."),
    ] = None,
    poor: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the images to crop badly or to blur.")
    ] = 0.0,
    mad: Annotated[
        bool, typer.Option("--mad/--no-mad", help="Whether retention takes outliers out.")
    ] = True,
    include: Annotated[
        bool | None,
        typer.Option(
            "--include/--no-include",
            help="Whether identified embeddings are enrolled; else as the settings say.",
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Run with and without each: the conditionings, MAD, inclusion, wrong answers "
            "(5 % unless --wrong says more).",
        ),
    ] = False,
    delay: Annotated[
        int, typer.Option(min=0, help="Frames that pass before an answer is there.")
    ] = 20,
    fpir: Annotated[
        float | None,
        share_option("Share of strangers that may be named; else as fitted, or as set."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    folder: Annotated[Path | None, folder_out("Write JSON and pictures here.")] = None,
    json: Json = False,
) -> None:
    """Replay labelled images as a stream: how often is a person needed, and how often is it wrong?

    Images come in time order to the agents of the live system, and a person who knows the labels
    answers what they leave undecided. Needs no broker and no Redis.

    Example:  perennial simulate herd.csv --split 0 --model models/herd-{split}

    Example:  perennial simulate herd.csv --conditioning fitted --compare --out simulation
    """
    settings = load_settings()
    default = default_model(settings)
    conditionings = [] if conditioning is None else conditioning
    with_inclusion = settings.include if include is None else include
    request = SimulationRequest(
        manifest=manifest,
        splits=splits,
        split=split,
        model=default if model is None else model,
        conditionings=[NONE, *conditionings] if compare or not conditionings else conditionings,
        mad=(False, True) if compare else (mad,),
        include=(False, True) if compare else (with_inclusion,),
        wrong=_wrong(wrong, compare=compare),
        poor=poor,
        delay=delay,
        fpir=fpir,
        limit=limit,
        seed=seed,
    )
    with progress() as bar:
        report = run(request, settings, bar)
    warn_of_refused(report.refused)
    for note in report.notes:
        warn(note)
    if json:
        typer.echo(report.model_dump_json())
    else:
        print_markdown(summary(report))
    if folder is not None:
        write(folder, report)
        err.print(f"wrote {folder / REPORT}, {', '.join(PICTURES)}")


def _wrong(asked: list[float] | None, *, compare: bool) -> list[float]:
    if not compare:
        return [0.0] if asked is None else list(dict.fromkeys(asked))
    return sorted({*(_WRONG if asked is None else (0.0, *asked))})
