"""Measures how often a shard's graph finds the nearest entry, and at which effort it does.

Exact and approximate index of the same entries are asked side by side. No query is in the shard:
entries are asked for with themselves left out, and strangers, which are nobody, are asked for,
because their nearest distance is what the false positive rate hangs on.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from redis.asyncio import Redis

from schemas.event import FloatVector
from streams.index.effort import Effort
from streams.index.shard import Shard

MIN_RECALL = 0.99
"""Of which the queries must make sure."""
MAX_COST = 3.0
"""Of the exact search's time; a graph that needs more is no use."""

_EFFORTS = (16, 32, 64, 128, 256, 512, 1024)
_TOLERANCE = 1e-3  # relative: so near, another entry is as good an answer
_ROUNDING = 1e-6
_QUERIES = 512  # of each kind
_SURE = 1.0  # standard error: of many efforts tried, the first that seems enough is lucky
_PAGES = 16  # of the shard, that they are drawn from
_AT_ONCE = 8  # others search meanwhile
_SLACK_S = 2e-4  # a query; below it a difference in time is the connection's


@dataclass(frozen=True, slots=True, eq=False)
class _Queries:
    """What is asked for: (n, d) vectors, and of each the entry that does not count as an answer."""

    vectors: Sequence[FloatVector]
    left_out: Sequence[str | None]


async def measure(redis: Redis, shard: Shard, entries: int) -> Effort:
    """Find the least effort at which a graph is exact enough; both indexes must be complete.

    Args:
        redis: where both are.
        shard: whose indexes they are.
        entries: that they hold.
    """
    kinds = await _queries(redis, shard, entries)
    began = time.perf_counter()
    exact = [await _nearest(redis, shard, "flat", queries, None) for queries in kinds]
    asked = sum(len(queries.vectors) for queries in kinds)
    allowed_s = MAX_COST * (time.perf_counter() - began) + asked * _SLACK_S
    for ef in _EFFORTS:
        began = time.perf_counter()
        seen = [await _nearest(redis, shard, "hnsw", queries, ef) for queries in kinds]
        took_s = time.perf_counter() - began
        recall = min(_sure(_recall(*pair), len(pair[0])) for pair in zip(seen, exact, strict=True))
        if took_s > allowed_s:
            break
        if recall >= MIN_RECALL:
            return Effort(entries=entries, ef=ef, recall=recall)
        if ef > entries:
            break  # it has seen them all
    return Effort(entries=entries, ef=None, recall=1.0)


def _recall(seen: FloatVector, exact: FloatVector) -> float:
    """Return the share of answers that are as near as the exact ones."""
    return float(np.mean(seen <= exact * (1 + _TOLERANCE) + _ROUNDING))


def _sure(share: float, count: int) -> float:
    """Return the lower end of Wilson's interval for a share of so many (Wilson 1927, eq. 4)."""
    square = _SURE**2 / count
    spread = _SURE * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return (share + square / 2 - spread) / (1 + square)


async def _queries(redis: Redis, shard: Shard, entries: int) -> tuple[_Queries, _Queries]:
    """Draw entries from all over the shard, and strangers."""
    rng = np.random.default_rng(entries)
    drawn: dict[str, FloatVector] = {}
    size = max(1, min(_QUERIES, entries) // _PAGES)
    for start in rng.integers(0, max(1, entries - size), _PAGES):
        answer = await redis.execute_command(*shard.page(int(start), size))
        drawn |= shard.vectors(answer[b"results"])
    return _Queries(list(drawn.values()), list(drawn)), _strangers(
        np.stack(list(drawn.values())), rng
    )


def _strangers(vectors: FloatVector, rng: np.random.Generator) -> _Queries:
    """Draw from the normal distribution that has the mean and the covariance of the entries.

    Points half way between two entries would be found far too easily: the graph leads there.
    """
    count = len(vectors)
    mean = vectors.mean(axis=0)
    weights = rng.normal(size=(count, count)) / np.sqrt(count)
    drawn = mean + weights @ (vectors - mean)
    drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), _ROUNDING)
    return _Queries(list(drawn.astype(np.float32)), [None] * count)


async def _nearest(
    redis: Redis, shard: Shard, algorithm: str, queries: _Queries, ef: int | None
) -> FloatVector:
    """Return the distance (n,) of the nearest entry that counts; infinity where there is none."""
    distances: list[float] = []
    for start in range(0, len(queries.vectors), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        async with redis.pipeline(transaction=False) as pipe:
            for vector in queries.vectors[part]:
                pipe.execute_command(*shard.search(vector, 2, ef, shard.index(algorithm)))
            results: list[Any] = await pipe.execute()
        for answer, left_out in zip(results, queries.left_out[part], strict=True):
            others = [n for n in shard.neighbours(answer[b"results"]) if n.entry_id != left_out]
            distances.append(others[0].distance if others else np.inf)
    return np.array(distances, np.float32)
