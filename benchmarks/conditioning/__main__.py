"""``python -m benchmarks.conditioning``: fit on some identities, recognise others."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import command
from benchmarks.conditioning.summary import Line, cells, header, page, summarise
from benchmarks.conditioning.trial import Asked, ask
from benchmarks.report import machine, write
from benchmarks.samples import sound_sample
from infra.commands.options import Manifest
from infra.console import out as screen
from infra.console import progress
from lab.fit.fitting import fit_conditioning
from lab.images.backgrounds import backgrounds_of, fit_variables
from lab.images.embed import PLAIN, embed
from lab.images.manifest import ManifestRow, read_manifest
from lab.images.splits import chosen, splits_of
from lab.shown.tables import table
from recognition.distance import FloatArray
from recognition.fit import condition, find_clusters
from recognition.protocol import Part, Split
from schemas.settings import Settings, load_settings
from workers.model.model import choose_device

FPIR = 0.01


def main(
    manifest: Manifest,
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder, with {split} in it where each split has its own; `plain` "
            "is the backbone as it comes, and the default. May be repeated."
        ),
    ] = None,
    split: Annotated[
        list[int] | None, typer.Option(min=0, help="Only this split; may be repeated.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws behind an interval.")] = 1000,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write JSON and Markdown here.")
    ] = Path("runs/conditioning"),
) -> None:
    """Fit a conditioning on the train and calibrate parts of each split, and measure on its test.

    Example:  python -m benchmarks.conditioning yaleb/manifest.csv --model runs/yaleb-{split}/model
    """
    settings = load_settings()
    rows = read_manifest(manifest)
    name = manifest.resolve().parent.name
    splits = chosen(splits_of(manifest, rows, None), split)
    lines: list[Line] = []
    wins: dict[str, list[str]] = {}
    for given in [PLAIN] if model is None else dict.fromkeys(model):
        short = "plain" if given == PLAIN else "trained"
        found: dict[tuple[str, float], dict[int, Asked]] = {}
        for one in splits:
            folder = None if given == PLAIN else Path(given.replace("{split}", str(one.number)))
            vectors = _embed(folder, rows, settings)
            won, asked = _split(rows, vectors, one)
            wins.setdefault(f"{name} {short}", []).append(f"{one.number} {won}")
            for (scenario, fpir), what in asked.items():
                found.setdefault((scenario, fpir), {})[one.number] = what
        lines += [
            summarise(name, short, scenario, of_splits, draws)
            for (scenario, _), of_splits in sorted(found.items(), key=lambda item: item[0][0])
        ]
    grid = table(*header())
    for line in lines:
        grid.add_row(*cells(line))
    screen.print(grid)
    about = f"Measured on {machine(choose_device(settings.device))}, {len(splits)} splits."
    data = {"about": about, "lines": [asdict(line) for line in lines], "chosen": wins}
    write(out, f"conditioning-{name}", data, page(lines, wins, about))


def _embed(folder: Path | None, rows: Sequence[ManifestRow], settings: Settings) -> FloatArray:
    with progress() as bar:
        task = bar.add_task("embedding", total=len(rows))
        return embed(folder, rows, settings, lambda n: bar.advance(task, n)).vectors


def _split(
    rows: Sequence[ManifestRow], vectors: FloatArray, split: Split
) -> tuple[str, dict[tuple[str, float], Asked]]:
    held = split.images(Part.CALIBRATE)
    seen, held_out = (sound_sample(rows, images, vectors) for images in (split.train, held))
    used = [rows[i] for i in (*split.train, *held)]
    variables, _ = fit_variables(backgrounds_of(used, None), None)
    fitted = fit_conditioning(seen, held_out, variables, FPIR).fitted
    alone = max((ran for ran in fitted.results if ran.candidate.k == 1), key=lambda ran: ran.tpir)
    everyone = find_clusters(fitted.conditioning.clusters.encoder, seen, held_out, 1)
    one = condition(alone.candidate, everyone, seen, held_out)
    asked = {}
    for scenario in split.scenarios:
        trial = split.trials[scenario, Part.TEST]
        gallery, probes = (sound_sample(rows, i, vectors) for i in (trial.gallery, trial.probes))
        for each in ask(gallery, probes, held_out.embeddings, fitted.conditioning, one):
            asked[scenario, each.fpir] = each
    return str(fitted.chosen), asked


if __name__ == "__main__":
    command(main)
