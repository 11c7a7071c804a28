"""What the matcher tells Prometheus."""

from collections.abc import Iterable

from recognition.cluster import UNCLUSTERED
from schemas.label_names import LabelNames
from schemas.metrics import Metrics
from schemas.recognition_event import RecognitionEvent, ReviewItem
from streams.conditioning.drift import DriftMonitor
from streams.conditioning.placement import Placement
from streams.matching.probe import Probe

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

    def follow(self, placement: Placement, probes: Iterable[Probe]) -> None:
        """Measure the drift of the probes that the active conditioning compared."""
        self._drift.follow(placement.artefact)
        for probe in probes:
            if probe.plan.conditioning is not None:
                self._drift.add(probe.plan.placed.cluster, probe.embedding.vector)

    def observe(self, event: RecognitionEvent, shards: int) -> None:
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
