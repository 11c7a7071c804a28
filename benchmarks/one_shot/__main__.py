"""``python -m benchmarks.one_shot``: one-shot runs within a group, of identities never seen."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.command import command
from benchmarks.one_shot.accuracy import FILLED, WITHIN, ask, lines
from benchmarks.one_shot.page import cells, header, page
from benchmarks.one_shot.runs import Run, Sheet, draw_runs, sheet_of
from benchmarks.one_shot.vectors import embed_splits
from benchmarks.report import machine, write
from infra.commands.options import Manifest
from infra.console import out as screen
from infra.console import progress
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import chosen, splits_of
from lab.shown.tables import table
from recognition.protocol import Part, Split
from schemas.errors import SetupError
from schemas.settings import load_settings
from workers.model.model import choose_device


def main(
    manifest: Manifest,
    *,
    model: Annotated[
        str, typer.Option(help="Model folder, with {split} in it where each split has its own.")
    ],
    split: Annotated[
        list[int] | None, typer.Option(min=0, help="Test on this split, else 0; may be repeated.")
    ] = None,
    ways: Annotated[int, typer.Option(min=2, help="Classes to choose between.")] = 20,
    runs: Annotated[int, typer.Option(min=1, help="Runs within each group.")] = 20,
    within: Annotated[
        str, typer.Option(metavar="VARIABLE", help="The classes of a run have one value of it.")
    ] = "alphabet",
    across: Annotated[
        str, typer.Option(metavar="VARIABLE", help="Classes and probes have different values.")
    ] = "drawer",
    seed: Annotated[int, typer.Option(min=0, help="Of the runs that are drawn.")] = 0,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws behind an interval.")] = 1000,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write JSON and Markdown here.")
    ] = Path("runs/one_shot"),
) -> None:
    """Tell characters of one alphabet apart from a single image of each.

    A run takes test identities of one alphabet, and two drawers: the images of one are the classes,
    those of the other are classified by the nearest class. An alphabet with fewer test identities
    than ways is tested twice: with as many ways as it has, and filled up with other alphabets'.

    Example:  python -m benchmarks.one_shot omniglot/manifest.csv --model runs/o-{split}/model
    """
    settings = load_settings()
    rows = read_manifest(manifest)
    splits = chosen(splits_of(manifest, rows, None), [0] if split is None else split)
    sheets = {one.number: _sheet(rows, one, within, across) for one in splits}
    drawn = {number: _draw(sheet, ways, runs, [seed, number]) for number, sheet in sheets.items()}
    needed = {number: _images(some) for number, some in drawn.items()}
    with progress() as bar:
        task = bar.add_task("embedding", total=None)
        models = {
            name: embed_splits(folder, rows, needed, settings, lambda n: bar.advance(task, n))
            for name, folder in (("perennial", model), ("plain backbone", None))
        }
    answers = ask(drawn, [row.label or "" for row in rows], models)
    own, filled = (lines(answers, what, draws) for what in (WITHIN, FILLED))
    about = (
        f"{manifest.resolve().parent.name}, split {', '.join(map(str, drawn))}: {runs} runs within "
        f"each {within} and split, classes and probes of different {across}; nearest class by the "
        f"cosine. Seed {seed}. Measured on {machine(choose_device(settings.device))}."
    )
    for title, some in ((f"within {within}", own), (f"filled up to {ways} ways", filled)):
        grid = table(*header(some))
        for line in some:
            grid.add_row(*cells(line))
        screen.print(f"\n{title}", style="bold")
        screen.print(grid)
    data = {
        "about": about,
        "model": model,
        WITHIN: [asdict(line) for line in own],
        FILLED: [asdict(line) for line in filled],
    }
    write(out, "one_shot", data, page(own, filled, ways, about))


def _sheet(rows: Sequence[ManifestRow], split: Split, within: str, across: str) -> Sheet:
    """Sort all images of the split's test identities that have both variables."""
    labels = {rows[i].label for i in split.images(Part.TEST)}
    return sheet_of(
        (i, row.label, str(row.background[within]), str(row.background[across]))
        for i, row in enumerate(rows)
        if row.label is not None
        and row.label in labels
        and within in row.background
        and across in row.background
    )


def _draw(sheet: Sheet, ways: int, runs: int, seed: list[int]) -> list[Run]:
    try:
        return draw_runs(sheet, ways, runs, np.random.default_rng(seed))
    except ValueError as error:
        raise SetupError(f"cannot draw runs: {error}") from error


def _images(runs: Sequence[Run]) -> list[int]:
    used = [part for run in runs for part in (run.probes, run.own, run.strangers)]
    return [int(i) for i in np.unique(np.concatenate(used))]


if __name__ == "__main__":
    command(main)
