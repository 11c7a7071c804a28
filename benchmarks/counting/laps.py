"""Two ways of searching the same gallery, timed in turns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from benchmarks.shards.gallery import Gallery
from benchmarks.shards.server import Server


@dataclass(frozen=True, slots=True)
class Lap:
    """What a probe cost in one uninterrupted stretch: seconds, and processor seconds."""

    time: float
    work: float


class Lookups:
    """Looks up the probes of a gallery, each in its own shard, batch after batch."""

    def __init__(self, gallery: Gallery, batch: int, k: int, server: Server) -> None:
        queries = gallery.queries(1)
        self._ahead = cycle([queries[i : i + batch] for i in range(0, len(queries), batch)])
        self._gallery = gallery
        self._k = k
        self._server = server

    async def lap(self, seconds: float) -> Lap:
        """Look up for at least so long, and at least one batch."""
        probes, spent = 0, 0.0
        before = await self._server.busy_seconds() + time.process_time()
        started = time.perf_counter()
        while not probes or spent < seconds:
            batch = next(self._ahead)
            await self._gallery.search(batch, self._k)
            probes += len(batch)
            spent = time.perf_counter() - started
        work = time.process_time() + await self._server.busy_seconds() - before
        return Lap(spent / probes, work / probes)


async def both(
    pair: Sequence[Lookups], seconds: float, rng: np.random.Generator
) -> tuple[Lap, Lap]:
    """Return a lap of each, run in an order that is drawn."""
    found: dict[int, Lap] = {}
    for turn in rng.permutation(2).tolist():
        found[turn] = await pair[turn].lap(seconds)
    return found[0], found[1]
