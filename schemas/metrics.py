"""Every Prometheus metric, in one place; services get the registry injected."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DISTANCES = tuple(step / 20 for step in range(1, 41))
_GRADES = tuple(step / 10 for step in range(1, 11))
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
OTHER = "other"
"""Stands for every name beyond the limit."""

_MAX_LENGTH = 100


class Metrics:
    """The metrics of one process, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        counter = partial(Counter, namespace="perennial", registry=registry)
        gauge = partial(Gauge, namespace="perennial", registry=registry)
        histogram = partial(Histogram, namespace="perennial", registry=registry)

        self.frames = counter("frames", "Frames read")
        self.batch_size = histogram(
            "batch_size", "Items handled at once", ["stage"], buckets=_COUNTS
        )
        self.stage_seconds = histogram(
            "stage_seconds", "Time spent in a stage", ["stage"], buckets=_SECONDS
        )
        self.queue_depth = gauge("queue_depth", "Items waiting inside the process", ["queue"])
        self.consumer_lag = gauge("consumer_lag", "Records not yet read", ["topic", "partition"])

        self.quality = histogram(
            "quality",
            "Grade of the regions that were embedded, 0 to 1: sharpness, size, exposure, overall",
            ["part"],
            buckets=_GRADES,
        )
        self.outcomes = counter(
            "outcomes", "Outcomes: identified, review or dead", ["outcome", "cluster", "reason"]
        )
        self.distance = histogram(
            "distance", "Distance to the nearest entry", ["outcome"], buckets=_DISTANCES
        )
        self.margin = histogram(
            "margin", "Distance between the best and the next identity", buckets=_DISTANCES
        )
        self.shard_timeouts = counter(
            "shard_timeouts", "Shard queries that failed or came back incomplete"
        )

        self.shards_searched = histogram(
            "shards_searched", "Shards that one embedding was looked up in", buckets=_COUNTS
        )
        self.inclusions = counter(
            "inclusions", "Identified embeddings, by what the inclusion rule said", ["reason"]
        )

        self.drift = gauge(
            "drift",
            "How far recent embeddings lie from those of the fit, in standard deviations",
            ["cluster"],
        )
        self.fpir_asked = gauge(
            "fpir_asked", "Share of unknown probes that may be identified by mistake"
        )
        self.fpir_believed = gauge(
            "fpir_believed",
            "Share of unknown probes that is thought to be identified by mistake",
            ["evidence"],
        )

        self.gallery_entries = gauge("gallery_entries", "Entries", ["cluster", "status"])
        self.threshold = gauge("threshold", "Largest distance that counts as known", ["cluster"])
        self.index_repairs = counter(
            "index_repairs",
            "What was found wrong in Redis and put right: entries, keys, or all for a wrong count",
            ["what"],
        )
        self.gallery_unreadable = gauge(
            "gallery_unreadable", "Keys of the gallery topic whose newest record cannot be read"
        )
        self.commands_overtaken = counter(
            "commands_overtaken",
            "Commands that came after a later decision about an entry, and left it as it is",
            ["reason"],
        )
        self.removals = counter(
            "retention_removals", "Entries that retention quarantined", ["reason"]
        )

        self.version = gauge("version", "Always 1; the labels tell what runs", ["part", "version"])
        self.dependency_up = gauge(
            "dependency_up", "1 while the dependency answers", ["dependency"]
        )
        self.stalled = gauge("stalled", "1 while a partition stands still though records wait")
        self.retries = counter("retries", "Attempts that failed and were repeated", ["stage"])


class LabelNames:
    """Lets the first names through, and calls all later ones :data:`OTHER`.

    Prometheus keeps a series for each name for ever, and whoever publishes can make up names.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return the name that a metric may have."""
        if name in self._known:
            return name
        if len(self._known) >= self._most or len(name) > _MAX_LENGTH:
            return OTHER
        self._known.add(name)
        return name
