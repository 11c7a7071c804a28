"""What the matcher tells Prometheus."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from recognition.cluster import NO_CLUSTER, UNCLUSTERED, Cluster, cluster_number
from recognition.statistics import Moments, drift
from schemas.errors import DependencyDown
from schemas.event import FloatVector
from schemas.metrics import LabelNames, Metrics
from schemas.recognition_event import RecognitionEvent, ReviewItem
from streams.conditioning.artefact import Artefact
from streams.conditioning.placement import Placement
from streams.matching.probe import Probe

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


_STAGES = ("hop", "match", "total")


class MatcherGauges:
    """Counts answers, and measures how far embeddings drift from those of the fit.

    Args:
        metrics: where it is told.
        max_names: most clusters, and most models, that are told by name.
    """

    def __init__(self, metrics: Metrics, max_names: int) -> None:
        self._metrics = metrics
        self._clusters = LabelNames(max_names)
        self._models = LabelNames(max_names)
        self._drift = DriftMonitor(metrics)

    def follow(
        self, placement: Placement, probes: Sequence[Probe], events: Sequence[RecognitionEvent]
    ) -> None:
        """Count what became of probes, and measure the drift of those that were conditioned."""
        self._drift.follow(placement.artefact)
        for probe, event in zip(probes, events, strict=True):
            if probe.plan.conditioning is not None:
                self._drift.add(probe.plan.placed.cluster, probe.embedding.vector)
            self._observe(event, len(probe.searched))

    @contextmanager
    def counting_failures(self) -> Iterator[None]:
        """Count the search in the block where it fails."""
        try:
            yield
        except DependencyDown:
            self._metrics.shard_timeouts.inc()
            raise

    def _observe(self, event: RecognitionEvent, shards: int) -> None:
        """Count an answer, for which so many shards were searched."""
        outcome = "review" if isinstance(event, ReviewItem) else "identified"
        reason = event.reason if isinstance(event, ReviewItem) else "within_threshold"
        cluster = UNCLUSTERED if event.cluster is None else self._clusters(event.cluster)
        self._metrics.outcomes.labels(outcome, cluster, reason).inc()
        self._metrics.version.labels("model", self._models(event.model)).set(1)
        self._metrics.shards_searched.observe(shards)
        if event.distance is not None:
            self._metrics.distance.labels(outcome).observe(event.distance)
        if event.margin is not None:
            self._metrics.margin.observe(event.margin)
        for stage in _STAGES:
            self._metrics.stage_seconds.labels(stage).observe(event.timings_ms[stage] / 1000)
