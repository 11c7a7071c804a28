"""How an embedding is searched for: in which shards, by which distance, up to which threshold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recognition.cluster import (
    EVERYWHERE,
    UNCLUSTERED,
    Cluster,
    cluster_name,
    cluster_number,
)
from recognition.conditioning import levels_between
from recognition.decision import Decision
from streams.conditioning.artefact import Artefact
from streams.conditioning.placed import PlacedEmbedding
from streams.index.base import Query, ShardState

MIN_IDENTITIES = 2
"""A plain shard of fewer identities has no impostors, so it has no threshold of its own."""

FETCHED = 2
"""So many times k neighbours are fetched from a shard where distances are conditioned: the nearest
by the cosine are not quite the nearest by the conditioned distance."""

Level = Callable[[Cluster], float]
"""From the cluster of an entry to the level between the probe's cluster and that."""

Shards = Mapping[Cluster, ShardState]


def flat(_: Cluster) -> float:
    """Return the level of all clusters where distances are plain."""
    return 1.0


@dataclass(frozen=True, slots=True, eq=False)
class SearchPlan:
    """How one embedding is searched for.

    Attributes:
        placed: the embedding as it is compared.
        threshold: the largest distance that counts as known; None where there is none yet.
        first: what is asked of the index in any case.
        rest: what is asked too, unless the answers to the first settle it.
        level: how near strangers come, by the cluster of the entry.
        fetched: so many times k neighbours are fetched for k to vote.
        artefact: the conditioning that it is compared by; None compares plainly.
    """

    placed: PlacedEmbedding
    threshold: float | None
    first: tuple[Query, ...]
    rest: tuple[Query, ...] = ()
    level: Level = flat
    fetched: int = 1
    artefact: Artefact | None = None

    @property
    def conditioning(self) -> str | None:
        """The version of the conditioning; None compares plainly."""
        return None if self.artefact is None else self.artefact.version

    def probability(self, decision: Decision) -> float | None:
        """Return how probable the first candidate is, where that can be said."""
        calibration = None if self.artefact is None else self.artefact.calibration
        if calibration is None or decision.distance is None or decision.threshold is None:
            return None
        return calibration.of(decision.distance, decision.threshold, decision.margin)


def plain_plan(placed: PlacedEmbedding, space: str, shards: Shards) -> SearchPlan:
    """Search the cluster's own shard, by its own threshold; where that is thin, all shards."""
    cluster, own = placed.cluster, shards.get(placed.cluster)
    if cluster == UNCLUSTERED or own is None or own.identities < MIN_IDENTITIES:
        searched, threshold = _clusters(shards), _threshold(shards.get(EVERYWHERE))
    elif UNCLUSTERED in shards:
        # Entries whose background does not tell their cluster could belong to any. More entries
        # are more impostors: the own threshold, which does not count these, promises too much.
        searched, threshold = (cluster, UNCLUSTERED), _threshold(shards.get(EVERYWHERE))
    else:
        searched, threshold = (cluster,), _threshold(own)
    return SearchPlan(placed, threshold, (Query(placed.vector, space, searched),))


def fitted_plan(
    placed: PlacedEmbedding,
    space: str,
    shards: Shards,
    thresholds: Mapping[Cluster, float],
    artefact: Artefact,
    level: Level,
) -> SearchPlan:
    """Search the cluster's own shard first; all at once where the probe's cluster is not sure.

    The threshold is for the whole gallery, so how far one searches changes nobody into a stranger.
    Each shard is asked alone: distances of two clusters are not comparable before their level is
    known, and the index would keep the nearest of both.
    """
    threshold = thresholds.get(placed.cluster, thresholds.get(EVERYWHERE))
    clusters = _clusters(shards)
    first: tuple[Cluster, ...] = (placed.cluster,)
    if threshold is None or placed.cluster not in clusters or not placed.sure:
        first = clusters
    alone = {cluster: Query(placed.vector, space, (cluster,)) for cluster in clusters}
    return SearchPlan(
        placed,
        threshold,
        first=tuple(alone[cluster] for cluster in first),
        rest=tuple(query for cluster, query in alone.items() if cluster not in first),
        level=level,
        fetched=FETCHED,
        artefact=artefact,
    )


def level_from(artefact: Artefact, cluster: Cluster) -> Level:
    """Return the levels from a probe's cluster to those of entries, by their names."""
    conditioning = artefact.conditioning
    entries = np.arange(-1, conditioning.k)
    row = levels_between(conditioning.levels, np.array([cluster_number(cluster)]), entries)[0]
    names = (cluster_name(int(number)) for number in entries)
    return dict(zip(names, row.tolist(), strict=True)).__getitem__


def _threshold(shard: ShardState | None) -> float | None:
    return None if shard is None else shard.threshold


def _clusters(shards: Shards) -> tuple[Cluster, ...]:
    return tuple(sorted(name for name in shards if name != EVERYWHERE))
