"""``python -m benchmarks.intervals``: do the intervals of a gain hold for other identities?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import Progress

from benchmarks.command import command
from benchmarks.intervals.study import WAYS, Drawn, Study, study_of
from benchmarks.report import grid, machine, write
from benchmarks.samples import sound_sample
from infra.commands.options import Manifest
from infra.console import progress
from lab.images.backgrounds import backgrounds_of, fit_variables
from lab.images.embed import PLAIN, default_model, embed, model_folder, of_split
from lab.images.manifest import read_manifest
from lab.images.splits import splits_of, the_split
from recognition.bootstrap import Interval
from recognition.protocol import Part
from schemas.settings import load_settings
from workers.model.model import choose_device

HEADER = (
    "set, model: what over what",
    "identities",
    "gain",
    "deviation of the gain",
    "standard error",
    "interval held",
    "by the deviation over trials",
)


@dataclass(frozen=True, slots=True)
class Line:
    """What a step from one way to the next showed in all draws.

    Attributes:
        gain: the mean over the draws.
        deviation: of the gain, from draw to draw.
        error: the root mean square of the standard errors.
        held: the share of draws whose interval holds the gain of the others.
        held_before: likewise, of the interval by the deviation over trials.
    """

    name: str
    identities: int
    gain: float
    deviation: float
    error: float
    held: float
    held_before: float


def main(
    manifest: Manifest,
    *,
    model: Annotated[
        str | None, typer.Option(help="Model folder, or `plain`; {split} is the split's number.")
    ] = None,
    split: Annotated[int, typer.Option(min=0, help="Made from its train part.")] = 0,
    draws: Annotated[int, typer.Option(min=2, help="Draws of identities.")] = 60,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Write JSON and Markdown here.")
    ] = Path("runs/intervals"),
) -> None:
    """Draw as many identities as a fit holds out, state the interval of a gain, and ask others.

    Conditionings are made from the train part. The identities of the other two parts are drawn, as
    many as the calibrate part has; the truth is the mean gain of as many of those left, twice.

    Example:  python -m benchmarks.intervals omniglot/manifest.csv --model runs/omniglot-0/model
    """
    settings = load_settings()
    rows = read_manifest(manifest)
    one = the_split(splits_of(manifest, rows, None), split)
    given = of_split(default_model(settings) if model is None else model, split)
    held = one.images(Part.CALIBRATE)
    with progress() as bar:
        task = bar.add_task("embedding", total=len(rows))
        folder = model_folder(given)
        vectors = embed(folder, rows, settings, lambda n: bar.advance(task, n)).vectors
        pool = one.images(Part.CALIBRATE, Part.TEST)
        used = [rows[i] for i in (*one.train, *pool)]
        variables, _ = fit_variables(backgrounds_of(used, None), None)
        seen, others = (sound_sample(rows, images, vectors) for images in (one.train, pool))
        study = study_of(seen, others, variables)
        count = len({rows[i].label for i in held})
        drawn = _draw(study, count, draws, bar)
    short = "plain" if given == PLAIN else "trained"
    name = manifest.resolve().parent.name
    lines = [
        _line(f"{name} {short}: {after} over {before}", count, [each[at] for each in drawn])
        for at, (before, after) in enumerate(pairwise(WAYS[: len(study.ways)]))
    ]
    about = f"{draws} draws, split {split}, {machine(choose_device(settings.device))}."
    page = f"# Intervals of a gain\n\n{about}\n\n{grid(HEADER, map(_cells, lines))}\n"
    data = {"about": about, "lines": [asdict(line) for line in lines]}
    write(out, f"intervals-{name}-{short}", data, page)


def _draw(study: Study, count: int, draws: int, bar: Progress) -> list[list[Drawn]]:
    rng = np.random.default_rng(0)
    return [study.draw(count, rng) for _ in bar.track(range(draws), description="drawing")]


def _line(name: str, identities: int, drawn: Sequence[Drawn]) -> Line:
    return Line(
        name=name,
        identities=identities,
        gain=float(np.mean([each.gain for each in drawn])),
        deviation=float(np.std([each.gain for each in drawn], ddof=1)),
        error=float(np.sqrt(np.mean([each.error**2 for each in drawn]))),
        held=_held([(each.interval, each.truth) for each in drawn]),
        held_before=_held([(each.over_trials, each.truth) for each in drawn]),
    )


def _held(stated: Sequence[tuple[Interval, float]]) -> float:
    return float(np.mean([low <= truth <= high for (low, high), truth in stated]))


def _cells(line: Line) -> list[str]:
    errors = (f"{value:.3f}" for value in (line.deviation, line.error))
    held = (f"{value:.0%}" for value in (line.held, line.held_before))
    return [line.name, f"{line.identities}", f"{line.gain:+.3f}", *errors, *held]


if __name__ == "__main__":
    command(main)
