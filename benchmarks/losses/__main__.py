"""``python -m benchmarks.losses``: all losses × the given sets at one small budget."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import torch
import typer
from rich.progress import Progress

from benchmarks.command import command
from benchmarks.losses.bench import Bench
from benchmarks.losses.job import Job, read_job
from benchmarks.losses.table import PLAIN, STARTED, Figures, Journal, Row, markdown, row_of
from benchmarks.report import machine, write
from infra.console import err, progress
from schemas.settings import Settings, load_settings
from workers.model.malloc import keep_freed_memory
from workers.model.model import choose_device
from workers.training.losses import LOSSES, parse_loss

NAME = "losses"


def main(
    sets: Annotated[
        list[str],
        typer.Argument(
            metavar="MANIFEST[=CONFIG.json]...",
            help="Images, and the settings to train them with; the config.json of a run will do.",
        ),
    ],
    steps: Annotated[int, typer.Option(min=1, help="Batches that each loss learns from.")] = 60,
    loss: Annotated[
        list[str] | None, typer.Option(help="Only this loss, or sum of losses; may be repeated.")
    ] = None,
    split: Annotated[int, typer.Option(min=0, help="Which split to train and test on.")] = 0,
    out: Annotated[
        Path,
        typer.Option(file_okay=False, help="Where the rows are kept; a run that was cut goes on."),
    ] = Path("runs/losses"),
) -> None:
    """Train with every loss on the same small budget, and measure each on calibrate and test.

    Decoded images, first weights and batches are the same for all losses of a set. A loss that
    fails is a row of the table, with the reason.

    Example:  python -m benchmarks.losses herd.csv=runs/herd/config.json faces/manifest.csv
    """
    losses = list(LOSSES) if loss is None else loss
    for name in losses:
        parse_loss(name)
    jobs = [read_job(text, split, steps) for text in sets]
    names = [job.name for job in jobs]
    if len(set(names)) < len(names):
        raise typer.BadParameter(f"sets go by the names of their folders: {', '.join(names)}")
    settings = load_settings()
    keep_freed_memory()
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    journal = Journal(out / f"{NAME}.jsonl")
    with progress() as bar:
        for job in jobs:
            fill(job, journal, (PLAIN, STARTED, *losses), settings, bar)
    rows = journal.latest({job.name: job.settings for job in jobs}, losses)
    about = (
        f"Split {split}, {steps} steps; the losses of a set share the first weights and the "
        "batches. calibrate: mean TPIR at FPIR 5 % over random trials; test: the threshold is "
        "taken from the test's own impostors (oracle). Seconds: of the steps, and of embedding "
        f"calibrate and test. Measured on {machine(choose_device(settings.device))}."
    )
    configs = {job.name: job.config.model_dump(mode="json") for job in jobs}
    data = {"about": about, "configs": configs, "rows": [row.model_dump() for row in rows]}
    write(out, NAME, data, markdown(rows, about))


def fill(
    job: Job, journal: Journal, losses: Sequence[str], settings: Settings, bar: Progress
) -> None:
    """Append the rows of a set that the journal does not have yet."""
    missing = [loss for loss in losses if not journal.done(job.name, loss, job.settings)]
    if not missing:
        return
    task = bar.add_task(f"{job.name}: decoding", total=None)
    bench = Bench(job, settings, lambda count: bar.advance(task, count))
    steps = job.config.steps
    for place, loss in enumerate(missing):
        bar.update(
            task,
            description=f"{job.name}: {loss}",
            completed=place * steps,
            total=len(missing) * steps,
        )
        row = attempt(job, loss, partial(bench.figures, loss, lambda: bar.advance(task)))
        journal.append(row)
        err.print(f"{job.name}: {loss}: {_told(row)}", markup=False, soft_wrap=True)
    bar.remove_task(task)


def attempt(job: Job, loss: str, measure: Callable[[], Figures]) -> Row:
    """Return the row of what ``measure`` finds, or of how it fails."""
    started = perf_counter()
    try:
        figures = measure()
    except Exception as error:  # noqa: BLE001  # whatever one loss does, the others go on
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        seconds = round(perf_counter() - started, 1)
        return Row(set=job.name, loss=loss, settings=job.settings, seconds=seconds, error=why)
    return row_of(job.name, loss, job.settings, perf_counter() - started, figures)


def _told(row: Row) -> str:
    if row.error is not None:
        return f"failed: {row.error}"
    tpirs = ", ".join(f"{name} {value:.3f}" for name, value in row.tpir.items() if value)
    return f"TPIR {tpirs}; {row.seconds:.0f} s"


if __name__ == "__main__":
    command(main)
