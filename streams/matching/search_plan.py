"""Which shards a probe is looked up in, and the threshold that counts there."""

from collections.abc import Mapping
from dataclasses import dataclass

from recognition.cluster import EVERYWHERE, UNCLUSTERED
from streams.index.base import ShardState

ENOUGH_IDENTITIES = 2
"""A plain shard of fewer identities has no impostors, so it has no threshold of its own."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look a probe up.

    Attributes:
        threshold: the largest distance that counts as known; None where there is none yet.
        first: the shards that are searched in any case.
        rest: all others, which are searched too unless the first ones settle it.
    """

    threshold: float | None
    first: tuple[str, ...]
    rest: tuple[str, ...] = ()


def plain_look(shards: Mapping[str, ShardState], cluster: str) -> Look:
    """Look in the cluster's own shard, by its own threshold; where that is thin, in all shards."""
    own = shards.get(cluster)
    if cluster == UNCLUSTERED or own is None or own.identities < ENOUGH_IDENTITIES:
        return Look(_threshold(shards.get(EVERYWHERE)), _all(shards))
    if UNCLUSTERED in shards:
        # Entries whose background does not tell their cluster could belong to any. More entries
        # are more impostors: the own threshold, which does not count these, promises too much.
        return Look(_threshold(shards.get(EVERYWHERE)), (cluster, UNCLUSTERED))
    return Look(_threshold(own), (cluster,))


def fitted_look(
    shards: Mapping[str, ShardState], thresholds: Mapping[str, float], cluster: str, *, sure: bool
) -> Look:
    """Look in the cluster's own shard first; in all at once where the probe's cluster is not sure.

    The threshold is for the whole gallery, so how far one looks changes nobody into a stranger.
    """
    threshold = thresholds.get(cluster, thresholds.get(EVERYWHERE))
    every = _all(shards)
    if threshold is None or cluster not in every or not sure:
        return Look(threshold, every)
    return Look(threshold, (cluster,), tuple(name for name in every if name != cluster))


def _threshold(shard: ShardState | None) -> float | None:
    return None if shard is None else shard.threshold


def _all(shards: Mapping[str, ShardState]) -> tuple[str, ...]:
    return tuple(sorted(name for name in shards if name != EVERYWHERE))
