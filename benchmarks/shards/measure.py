"""All variants of one size of gallery, held side by side in Redis and timed in turns."""

import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np

from benchmarks.shards.gallery import Gallery
from benchmarks.shards.laps import Runner, race
from benchmarks.shards.rows import Row, Variant, row
from benchmarks.shards.server import Server
from benchmarks.shards.world import World
from streams.index.redis import RedisIndex

CROSS = (1, 2, 4)
"""Shards that a probe is looked up in; all of them besides."""

BATCHES = 8
"""Different batches of probes, gone through again and again."""

_TIMEOUT_S = 60.0  # of one Redis call: building graphs and clearing take longer than a search


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        clusters: numbers of shards; 1 is among them.
        hnsw_above: entries above which a shard becomes HNSW.
        flat: whether to measure every shard as FLAT too, where that rule makes any HNSW.
        dimension: of the vectors.
        batch: probes looked up in one round trip.
        k: neighbours wanted.
        rounds: laps of each variant.
        seconds: least duration of a lap.
    """

    clusters: tuple[int, ...]
    hnsw_above: int
    flat: bool
    dimension: int
    batch: int
    k: int
    rounds: int
    seconds: float


async def measure(
    url: str, entries: int, plan: Plan, server: Server, say: Callable[[str], None]
) -> list[Row]:
    """Fill Redis, measure every variant, and leave Redis as it was."""
    rng = np.random.default_rng([entries, plan.dimension])
    world = World.draw(entries, BATCHES * plan.batch, plan.dimension, rng)
    async with AsyncExitStack() as stack:
        galleries: dict[tuple[str, int], Gallery] = {}
        prefixes: dict[tuple[str, int], str] = {}
        for rule, hnsw_above in rules(plan, entries).items():
            for shards in plan.clusters:
                index, prefix = _own_index(url, hnsw_above)
                gallery = Gallery(world, index, shards)
                stack.push_async_callback(gallery.clear)
                await gallery.open()
                galleries[rule, shards] = gallery
                prefixes[rule, shards] = prefix
        say(f"{entries} entries: filling {len(galleries)} galleries")
        for gallery in galleries.values():
            await gallery.fill()
        algorithms = {key: await server.algorithms(prefix) for key, prefix in prefixes.items()}
        runners = {
            Variant(rule, shards, searched): Runner(gallery, searched, plan.batch, plan.k, server)
            for (rule, shards), gallery in galleries.items()
            for searched in lookups(shards)
        }
        say(f"{entries} entries: a round for recall, {plan.rounds} for speed")
        recalls = {variant: await runner.recall() for variant, runner in runners.items()}
        timed = await race(list(runners.values()), plan.rounds, plan.seconds, rng)
    laps = dict(zip(runners, timed, strict=True))
    return [row(entries, v, laps, algorithms[v.rule, v.shards], recalls[v]) for v in runners]


def _own_index(url: str, hnsw_above: int) -> tuple[RedisIndex, str]:
    """Return an index apart from all others, and its prefix."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    index = RedisIndex.connect(url, prefix=prefix, hnsw_above=hnsw_above, timeout_s=_TIMEOUT_S)
    return index, prefix


def rules(plan: Plan, entries: int) -> dict[str, int]:
    """Return by name the entries above which a shard becomes HNSW; never, where it is FLAT."""
    found = {f"HNSW above {plan.hnsw_above}": plan.hnsw_above}
    if plan.flat and entries > plan.hnsw_above:
        found["FLAT"] = entries
    return found


def lookups(shards: int) -> list[int]:
    """Return in how many of so many shards a probe is looked up."""
    return sorted({count for count in (*CROSS, shards) if count <= shards})
