"""How far the embeddings of each cluster have moved away from those of the fit."""

from recognition.cluster import NO_CLUSTER, Cluster, cluster_number
from recognition.moments import Moments, drift
from schemas.event import FloatVector
from schemas.metrics import Metrics
from streams.conditioning.artefact import Artefact

EVERY = 50
"""Embeddings of a cluster between two measurements."""

RECENT = 1000
"""Embeddings of a cluster after which its moments begin anew: drift is about the present."""


class DriftMonitor:
    """Keeps the moments of raw embeddings by cluster, for the metrics of the conditioning."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._active: Artefact | None = None
        self._moments: dict[Cluster, Moments] = {}

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

    def add(self, cluster: Cluster, vector: FloatVector) -> None:
        """Count an embedding that was compared by the active conditioning."""
        active, number = self._active, cluster_number(cluster)
        if active is None or active.conditioning.statistics is None or number == NO_CLUSTER:
            return
        moments = self._moments.setdefault(cluster, Moments.empty(vector.size))
        moments.add(vector)
        if moments.count % EVERY == 0:
            moved = drift(active.conditioning.statistics, number, moments)
            self._metrics.drift.labels(cluster).set(moved)
        if moments.count == RECENT:
            del self._moments[cluster]


def _version(artefact: Artefact | None) -> str | None:
    return None if artefact is None else artefact.version
