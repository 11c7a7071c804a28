"""The open-set decision: is the probe known, and as whom."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from math import sqrt
from operator import attrgetter, itemgetter

from recognition.decision import MAX_CANDIDATES, Candidate, Decision, Neighbour, Reason, Verdict

MIN_VOTE = 1e-9
"""The weight of a vote at the threshold itself, so that such a neighbour still counts."""


def decide(neighbours: Sequence[Neighbour], threshold: float | None) -> Decision:
    """Decide by the votes of the nearest neighbours, in whatever order they come.

    A neighbour at distance d <= τ votes for its identity with weight (τ - d)/τ: distance-weighted
    k-nearest neighbours (after Dudani 1976, with τ as the farthest). Most votes win; ties go to
    the nearer, then to the name that sorts first. The probe is known exactly if its nearest
    neighbour lies within the threshold. ``candidates`` holds the best, best first.

    Args:
        neighbours: the nearest entries, each once, of all shards that were searched.
        threshold: τ; None while the gallery is too small to have one.
    """
    if threshold is not None and not math.isfinite(threshold):
        raise ValueError(f"the threshold must be finite, got {threshold}")
    ranked = _rank(neighbours, threshold)
    if not ranked:
        return Decision(Verdict.UNKNOWN, None, None, threshold, None, (), Reason.GALLERY_EMPTY)
    first = ranked[0]
    if threshold is None:
        reason = Reason.GALLERY_TOO_SMALL
    elif first.votes > 0:
        reason = Reason.WITHIN_THRESHOLD
    else:
        reason = Reason.BEYOND_THRESHOLD
    known = reason is Reason.WITHIN_THRESHOLD
    runner_up = min((other.distance for other in ranked[1:]), default=None)
    return Decision(
        verdict=Verdict.KNOWN if known else Verdict.UNKNOWN,
        identity=first.identity if known else None,
        distance=first.distance,
        threshold=threshold,
        margin=None if runner_up is None else runner_up - first.distance,
        candidates=tuple(ranked[:MAX_CANDIDATES]),
        reason=reason,
    )


def _rank(neighbours: Sequence[Neighbour], threshold: float | None) -> list[Candidate]:
    """Return the identities, most votes first, then nearest, then by name."""
    entries: dict[str, list[Neighbour]] = defaultdict(list)
    for neighbour in sorted(neighbours, key=attrgetter("distance", "entry_id")):
        entries[neighbour.identity].append(neighbour)
    candidates = [
        Candidate(
            identity=identity,
            distance=own[0].distance,
            votes=sum(_vote(entry.distance, threshold) for entry in own),
            entry_id=own[0].entry_id,
        )
        for identity, own in entries.items()
    ]
    return sorted(candidates, key=lambda c: (-c.votes, c.distance, c.identity))


def _vote(distance: float, threshold: float | None) -> float:
    """Return the weight of a neighbour: positive exactly if it is within the threshold."""
    if threshold is None or distance > threshold:
        return 0.0
    # A tail may reach below zero, and the threshold with it: so it scales by its size.
    return max((threshold - distance) / max(abs(threshold), MIN_VOTE), MIN_VOTE)


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
