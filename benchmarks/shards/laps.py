"""Look-ups of several variants, timed in turns, so that a drift of the machine hits all alike."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from benchmarks.shards.gallery import Gallery
from benchmarks.shards.server import Server
from benchmarks.shards.world import recall


@dataclass(frozen=True, slots=True)
class Lap:
    """One uninterrupted stretch of look-ups.

    Attributes:
        rate: probes per second.
        server: share of the time in which Redis was busy searching.
        client: share of the time in which this process was busy: writing queries, reading answers.
    """

    rate: float
    server: float
    client: float


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the truly nearest entry, and of the k nearest ones, that were found."""

    at_1: float
    at_k: float


class Runner:
    """Looks up the probes of a gallery, batch after batch, each in ``searched`` of its shards."""

    def __init__(self, gallery: Gallery, searched: int, batch: int, k: int, server: Server) -> None:
        queries = gallery.queries(searched)
        self._batches = [queries[i : i + batch] for i in range(0, len(queries), batch)]
        self._ahead = cycle(self._batches)
        self._gallery = gallery
        self._searched = searched
        self._k = k
        self._server = server

    async def recall(self) -> Recall:
        """Look every probe up once, and compare with the true answers."""
        answers = [
            one for batch in self._batches for one in await self._gallery.search(batch, self._k)
        ]
        found = [[int(neighbour.entry_id) for neighbour in one] for one in answers]
        wanted = self._gallery.world.exact(self._gallery.shards, self._searched, self._k)
        return Recall(recall(found, wanted, 1), recall(found, wanted, self._k))

    async def lap(self, seconds: float) -> Lap:
        """Look up for at least so long, and at least one batch."""
        probes, spent = 0, 0.0
        searching = await self._server.search_seconds()
        started, computing = time.perf_counter(), time.process_time()
        while not probes or spent < seconds:
            batch = next(self._ahead)
            await self._gallery.search(batch, self._k)
            probes += len(batch)
            spent = time.perf_counter() - started
        computing = time.process_time() - computing
        searching = await self._server.search_seconds() - searching
        return Lap(probes / spent, searching / spent, computing / spent)


async def race(
    runners: Sequence[Runner], rounds: int, seconds: float, rng: np.random.Generator
) -> list[list[Lap]]:
    """Return a lap of each runner per round; the order is drawn anew in every round."""
    found: list[list[Lap]] = [[] for _ in runners]
    for _ in range(rounds):
        for turn in rng.permutation(len(runners)):
            found[turn].append(await runners[turn].lap(seconds))
    return found
