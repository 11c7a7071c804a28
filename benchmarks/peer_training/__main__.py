"""``python -m benchmarks.peer_training``: our model beside the library's own example loop."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.progress import Progress

from benchmarks.command import command
from benchmarks.peer_training.budget import Budget
from benchmarks.peer_training.loop import DIMENSION
from benchmarks.peer_training.race import Entrant, Race
from benchmarks.report import grid, machine, write
from infra.commands.options import Manifest, size_of
from infra.console import err, print_markdown, progress
from lab.evaluate.exam import Exam, ModelVariant
from lab.evaluate.models import Models
from lab.evaluate.report import Evaluation
from lab.evaluate.summary import summarise
from lab.evaluate.words import markdown, summary
from lab.images.embed import PLAIN
from lab.images.manifest import read_manifest
from lab.images.splits import chosen, splits_of
from recognition.paper_distances import Distance
from recognition.protocol import Split
from schemas.settings import load_settings
from workers.model.malloc import keep_freed_memory
from workers.model.model import choose_device

PEER, OURS, BACKBONE = "library example", "perennial", "plain backbone"
FPIRS = (0.01, 0.05)


def main(
    manifest: Manifest,
    *,
    model: Annotated[
        str, typer.Option(help="Our model folder, with {split} in it where each split has its own.")
    ],
    split: Annotated[
        list[int] | None, typer.Option(min=0, help="Train and test on it, else 0; may be repeated.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Training time of the peer: what ours took.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Most batches of the peer.")] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HxW",
            help="Its input in pixels, else 224x224, which its weights were made for. Repeated, "
            "each gets the whole budget, and calibrate chooses.",
        ),
    ] = None,
    dimension: Annotated[
        int, typer.Option(min=2, help="Of its embedding; the example has 64.")
    ] = DIMENSION,
    seed: Annotated[int, typer.Option(min=0, help="Of the peer's batches and layer.")] = 0,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws behind an interval.")] = 1000,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write JSON and Markdown here.")
    ] = Path("runs/peer_training"),
) -> None:
    """Give the example loop of pytorch-metric-learning our training time, and compare.

    Its clock stands still while images are decoded and calibrate is looked at. Both are then
    evaluated as `perennial evaluate` does; differences are ours less the peer's.

    Example:  python -m benchmarks.peer_training herd.csv --model runs/herd/model --seconds 240
    """
    if seconds is None and steps is None:
        raise typer.BadParameter("give --seconds, --steps or both")
    sizes = [size_of(text) for text in size or ["224x224"]]
    settings = load_settings()
    keep_freed_memory()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    rows = read_manifest(manifest)
    splits = chosen(splits_of(manifest, rows, None), [0] if split is None else split)
    ours = Models([model, PLAIN], [Distance.COSINE], splits)  # says now if a folder is missing
    race = Race(manifest, rows, settings, dimension, seed)
    with progress() as bar:
        tried = [
            _entered(race, one, hw, Budget(seconds, steps), bar) for one in splits for hw in sizes
        ]
        evaluation = _evaluated(manifest, race, ours, splits, tried, draws, bar)
    told = [entrant.told() for entrant in tried]
    limits = [f"{seconds:g} s" if seconds else "", f"{steps} steps" if steps else ""]
    about = (
        f"The peer had {' or '.join(filter(None, limits))} of training on each split, without "
        f"decoding and looks at calibrate; its embedding has {dimension} dimensions. Measured on "
        f"{machine(choose_device(settings.device))}."
    )
    print_markdown(summary(evaluation))
    page = [
        "# The example loop of pytorch-metric-learning, and ours",
        about,
        grid(list(told[0]), [[str(value) for value in one.values()] for one in told]),
        markdown(evaluation),
    ]
    data = {
        "about": about,
        "model": model,
        "peer": told,
        "evaluation": evaluation.model_dump(mode="json"),
    }
    write(out, "peer_training", data, "\n\n".join(page))


def _entered(
    race: Race, split: Split, size: tuple[int, int], budget: Budget, bar: Progress
) -> Entrant:
    name = f"peer, split {split.number}, {size[0]}x{size[1]}"
    task = bar.add_task(name, total=100)
    entrant = race.enter(
        split, size, budget, lambda: bar.update(task, completed=100 * budget.share)
    )
    bar.remove_task(task)
    err.print(f"{name}: {entrant.told()}", markup=False, soft_wrap=True)
    return entrant


def _evaluated(
    manifest: Path,
    race: Race,
    ours: Models,
    splits: Sequence[Split],
    tried: Sequence[Entrant],
    draws: int,
    bar: Progress,
) -> Evaluation:
    """Compare ours and the plain backbone with the peer, at the size that suits it best."""
    best = {
        entrant.split: entrant
        for entrant in sorted(tried, key=lambda entrant: entrant.trained.best.tpir)
    }
    task = bar.add_task("embedding", total=ours.images)
    perennial, plain = ours.variants(race.rows, race.settings, lambda n: bar.advance(task, n))
    variants = [
        ModelVariant(PEER, lambda split: best[split.number].embeddings),
        replace(perennial, name=OURS),
        replace(plain, name=BACKBONE),
    ]
    exam = Exam([row.label for row in race.rows], splits, fpirs=FPIRS, draws=draws)
    assessed = [exam.assess(variant) for variant in variants]
    embedders = ours.embedders(race.rows)
    return summarise(
        exam,
        assessed,
        data=manifest.resolve().parent.name,
        images=len(race.rows),
        refused=ours.refused,
        embedders={OURS: embedders[perennial.name], BACKBONE: embedders[plain.name]},
    )


if __name__ == "__main__":
    command(main)
