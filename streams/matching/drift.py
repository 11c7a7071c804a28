"""How far the embeddings of each cluster have moved away from those of the fit."""

from collections.abc import Iterable

from recognition.cluster import NO_CLUSTER, cluster_number
from recognition.moments import Moments, drift
from schemas.metrics import Metrics
from streams.conditioning.artefact import Artefact
from streams.matching.probe import Probe

EVERY = 50
"""Embeddings of a cluster between two looks at it."""

RECENT = 1000
"""Embeddings of a cluster after which its moments begin anew: drift is about the present."""


class DriftWatch:
    """Keeps the moments of raw embeddings by cluster, for the metrics of the conditioning."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._active: Artefact | None = None
        self._moments: dict[int, Moments] = {}

    def follow(self, active: Artefact | None) -> None:
        """Begin anew where another conditioning is active than before."""
        if _version(active) != _version(self._active):
            self._moments = {}
            self._metrics.drift.clear()
            if self._active is not None:
                self._metrics.version.remove("conditioning", self._active.version)
            if active is not None:
                self._metrics.version.labels("conditioning", active.version).set(1)
        self._active = active

    def saw(self, probes: Iterable[Probe]) -> None:
        """Count the probes that were compared by the active conditioning."""
        for probe in probes:
            cluster = (
                cluster_number(probe.spot.cluster) if probe.artefact is not None else NO_CLUSTER
            )
            if cluster != NO_CLUSTER:
                self._add(cluster, probe)

    def _add(self, cluster: int, probe: Probe) -> None:
        active = self._active
        if active is None or active.conditioning.statistics is None:
            return
        vector = probe.embedding.vector
        moments = self._moments.setdefault(cluster, Moments.empty(vector.size))
        moments.add(vector)
        if moments.count % EVERY == 0:
            moved = drift(active.conditioning.statistics, cluster, moments)
            self._metrics.drift.labels(probe.spot.cluster).set(moved)
        if moments.count == RECENT:
            del self._moments[cluster]


def _version(artefact: Artefact | None) -> str | None:
    return None if artefact is None else artefact.version
