"""``python -m benchmarks.counting``: searches with their shards counted, beside searches alone."""

import asyncio
import os
import platform
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import numpy as np
import typer

from benchmarks.command import command
from benchmarks.counting.laps import Lap, Lookups, both
from benchmarks.counting.unchecked import Unchecked
from benchmarks.shards.gallery import Gallery
from benchmarks.shards.server import Server, address
from benchmarks.shards.world import World
from infra.console import err, out, print_json
from lab.shown.tables import table
from schemas.settings import load_settings
from streams.index.redis import RedisIndex

_TIMEOUT_S = 60.0
_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One layout, searched by turns with and without the count.

    Attributes:
        entries: of the gallery.
        shards: that they lie in; each probe is looked up in its own.
        batch: probes in one round trip.
        rate: probes per second with the count.
        unchecked: probes per second without.
        time: seconds a probe with the count over those without, the median of the rounds.
        work: the same of processor seconds, of Redis and of this process together; other programs
            on the machine do not show in it.
    """

    entries: int
    shards: int
    batch: int
    rate: float
    unchecked: float
    time: float
    work: float


def main(
    entries: Annotated[int, typer.Option(min=1, help="Size of the gallery.")] = 10_000,
    dimension: Annotated[int, typer.Option(min=2, help="Of the vectors.")] = 128,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each variant is measured.")] = 9,
    seconds: Annotated[float, typer.Option(min=0, help="Least duration of one time.")] = 0.25,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Look probes up in one and in many shards, with and without counting the shards' entries.

    Both variants search the same entries in turns; the cost is the median of the rounds' ratios.
    The Redis is that of PERENNIAL_REDIS_URL, which should be idle, or an embedded one.

    Example:  python -m benchmarks.counting --entries 2000
    """
    settings = load_settings()
    batches = (1, settings.match_batch)
    with address(settings.redis_url) as url:
        measured = _measure(url, entries, dimension, batches, settings.neighbours, rounds, seconds)
        versions, rows = asyncio.run(measured)
    about = f"{dimension} dimensions; {versions}; {platform.machine()}, {os.cpu_count()} cores"
    if as_json:
        print_json({"about": about, "rows": [asdict(row) for row in rows]})
        return
    shown = table(
        "entries", "shards", "probes a round trip", "probes/s", "uncounted", "time", "work"
    )
    for row in rows:
        figures = (f"{row.rate:.0f}", f"{row.unchecked:.0f}", f"{row.time:.3f}", f"{row.work:.3f}")
        shown.add_row(str(row.entries), str(row.shards), str(row.batch), *figures)
    out.print(shown)
    out.print(about, markup=False)


async def _measure(
    url: str,
    entries: int,
    dimension: int,
    batches: tuple[int, ...],
    k: int,
    rounds: int,
    seconds: float,
) -> tuple[str, list[Row]]:
    rng = np.random.default_rng([entries, dimension])
    world = World.draw(entries, _BATCHES * max(batches), dimension, rng)
    rows: list[Row] = []
    async with Server(url) as server:
        for shards in (1, 16, 64):
            prefix = f"bench-{uuid.uuid4().hex[:8]}."
            counted = Gallery(world, _connected(RedisIndex.connect, url, prefix), shards)
            alone = Gallery(world, _connected(Unchecked.connect, url, prefix), shards)
            err.print(f"{entries} entries in {shards} shards")
            try:
                await counted.open()
                await counted.fill()
                for batch in batches:
                    pair = [Lookups(one, batch, k, server) for one in (counted, alone)]
                    laps = [await both(pair, seconds, rng) for _ in range(rounds)]
                    rows.append(_row(entries, shards, batch, laps))
            finally:
                await counted.clear()
                await alone.clear()
        return await server.versions(), rows


def _row(entries: int, shards: int, batch: int, laps: Sequence[tuple[Lap, Lap]]) -> Row:
    return Row(
        entries=entries,
        shards=shards,
        batch=batch,
        rate=median(1 / counted.time for counted, _ in laps),
        unchecked=median(1 / alone.time for _, alone in laps),
        time=median(counted.time / alone.time for counted, alone in laps),
        work=median(counted.work / alone.work for counted, alone in laps),
    )


def _connected(connect: Callable[..., RedisIndex], url: str, prefix: str) -> RedisIndex:
    return connect(url, prefix=prefix, hnsw_above=10_000, timeout_s=_TIMEOUT_S)


if __name__ == "__main__":
    command(main)
