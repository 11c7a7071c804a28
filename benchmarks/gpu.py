"""``python -m benchmarks.gpu``: the forward pass on this machine's GPU, and a worker beside it.

Images go from the host's memory to the device and their vectors come back, as in a worker. Then a
worker embeds a burst of frames; broker, worker and streams all run on this machine. It starts
what it needs, and ends in less than 8 minutes. Without a GPU it measures the processor.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer

from benchmarks.burst import copies, steady_rate
from benchmarks.command import command
from benchmarks.floor import images_per_second
from benchmarks.report import NOTHING, grid, machine, write
from benchmarks.report import share as share_of
from client.names import Outgoing
from client.publish import publish
from client.reader import reader
from infra.console import err, out
from infra.demo.run import rendered
from infra.local.stack import stack
from schemas.choices import Precision
from schemas.settings import Settings, load_settings
from schemas.topics import EMBEDDINGS
from workers.model.model import load_model
from workers.service.embedder import share

_MIB = 2**20
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        what: the forward pass alone, or a worker.
        precision: of the pass.
        batch: images in one pass; of a worker, the most.
        rate: images per second.
        ratio: of a worker, its rate over the best of the passes in its precision.
        mib: most memory of the device that torch held; None on a processor, and of a worker.
    """

    what: str
    precision: str
    batch: int
    rate: float
    ratio: float | None = None
    mib: float | None = None


def main(
    out_folder: Annotated[
        Path, typer.Option("--out", file_okay=False, help="Where the table is written.")
    ] = Path("gpu-figures"),
    batches: Annotated[
        str, typer.Option(help="Sizes of a batch.")
    ] = "1,2,4,8,16,32,64,128,256,512",
    seconds: Annotated[float, typer.Option(min=0.1, help="Duration of each measurement.")] = 3.0,
    frames: Annotated[int, typer.Option(min=20, help="Frames that a worker embeds.")] = 6000,
    model: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Model folder.")
    ] = None,
) -> None:
    """Measure the forward pass at each batch, then a worker, in float32 and in bfloat16."""
    settings = load_settings(model=model, worker_port=0, streams_port=0)
    sizes = [int(size) for size in batches.split(",")]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows: list[Row] = []
    for precision in (Precision.FLOAT32, Precision.BFLOAT16):
        own = settings.model_copy(update={"precision": precision, "batch_size": max(sizes)})
        passes = list(forward(own, sizes, seconds, device))
        best = max(row.rate for row in passes)
        rate = worker(own, frames)
        end = Row("worker, from topic to topic", precision, max(sizes), rate, rate / best)
        rows += [*passes, end]
    title = f"Forward pass and worker on {machine(device)}"
    page = f"# {title}\n\n{_table(rows)}\n"
    write(out_folder, "gpu", [asdict(row) for row in rows], page)
    out.print(page, markup=False)


def forward(
    settings: Settings, sizes: list[int], seconds: float, device: torch.device
) -> Iterator[Row]:
    """Yield the forward pass at each batch; a size that does not fit in memory ends it."""
    _, threads = share(settings)
    model = load_model(settings.model_copy(update={"threads": threads}))
    for size in sizes:
        err.print(f"forward pass, {settings.precision}, batch {size}", markup=False)
        try:
            with _peak(device) as held:
                rate = images_per_second(model, 1, size, seconds)
        except torch.OutOfMemoryError:
            err.print(f"batch {size} does not fit in the memory of the device", markup=False)
            return
        yield Row("forward pass", settings.precision, size, rate, mib=held[0] if held else None)


def worker(settings: Settings, count: int) -> float:
    """Return how many frames per second a worker embeds, by the timestamps of ``embeddings``."""
    frames = copies(rendered(200, 24, 7), count, "gpu")
    with (
        TemporaryDirectory() as folder,
        stack(settings, run_dir=Path(folder), say=err.print) as running,
    ):
        return asyncio.run(_burst(running.settings, frames))


async def _burst(settings: Settings, frames: list[Outgoing]) -> float:
    async with reader(settings, EMBEDDINGS, from_beginning=True) as embeddings:
        await publish(settings, frames)
        times: list[float] = []
        async with asyncio.timeout(_PATIENCE_S):
            while len(times) < len(frames):
                times += [record.timestamp_ms / 1000 for record in await embeddings.batch(0.5)]
    return steady_rate(times)


@contextmanager
def _peak(device: torch.device) -> Iterator[list[float]]:
    """Yield a list that gets the most MiB that torch held on the device meanwhile."""
    held: list[float] = []
    if device.type != "cuda":
        yield held
        return
    torch.cuda.reset_peak_memory_stats(device)
    yield held
    held.append(torch.cuda.max_memory_allocated(device) / _MIB)


def _table(rows: list[Row]) -> str:
    header = ("what", "precision", "batch", "images/s", "of the best pass", "MiB")
    cells = (
        (
            row.what,
            row.precision,
            str(row.batch),
            f"{row.rate:.0f}",
            share_of(row.ratio),
            NOTHING if row.mib is None else f"{row.mib:.0f}",
        )
        for row in rows
    )
    return grid(header, cells)


if __name__ == "__main__":
    command(main)
