"""Neighbours as a conditioning sees them: by the conditioned distance."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from math import sqrt
from operator import itemgetter

from recognition.decision import Neighbour


def rerank(
    neighbours: Iterable[Neighbour], scale: float, level: Callable[[str], float], k: int
) -> tuple[Neighbour, ...]:
    """Return the k nearest by the conditioned distance, nearest first, ties by entry id.

    Each comes with the cosine distance d of the placed vectors and the local scale r_e of the
    entry; it leaves with d / (√(r_p · r_e) · level), as
    :func:`~recognition.conditioning.conditioned` has it. Scales and levels of 1 change no distance.

    Args:
        neighbours: what was found, of any number of shards.
        scale: the local scale r_p of the probe.
        level: from the name of the entry's cluster to the level of probe and entry cluster.
        k: how many to keep.

    Raises:
        ValueError: k is below 1, or a scale or level is not positive.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    conditioned = (
        (near.distance / _unit(scale, near.scale, level(near.cluster)), near.entry_id, near)
        for near in neighbours
    )
    nearest = nsmallest(k, conditioned, key=itemgetter(0, 1))
    return tuple(
        Neighbour(near.entry_id, near.identity, distance, near.cluster, near.scale)
        for distance, _, near in nearest
    )


def _unit(probe: float, entry: float, level: float) -> float:
    """Return the distance that counts as 1 between a probe and an entry of these scales."""
    if not (probe > 0 and entry > 0 and level > 0):
        raise ValueError(f"scales and levels must be positive, got {probe}, {entry}, {level}")
    return sqrt(probe * entry) * level
