"""Every Prometheus metric, in one place; services get the registry injected."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DISTANCES = tuple(step / 20 for step in range(1, 41))
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one process, on the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._work(registry)
        self._matching(registry)
        self._conditioning(registry)
        self._gallery(registry)
        self._health(registry)

    def _work(self, registry: CollectorRegistry) -> None:
        self.frames = Counter("perennial_frames", "Frames read", registry=registry)
        self.batch_size = Histogram(
            "perennial_batch_size", "Items handled at once", ["stage"],
            buckets=_COUNTS, registry=registry,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "perennial_stage_seconds", "Time spent in a stage", ["stage"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.queue_depth = Gauge(
            "perennial_queue_depth", "Items waiting inside the process", ["queue"],
            registry=registry,
        )  # fmt: skip
        self.consumer_lag = Gauge(
            "perennial_consumer_lag", "Records not yet read", ["topic", "partition"],
            registry=registry,
        )  # fmt: skip

    def _matching(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "perennial_outcomes", "Outcomes: identified, review or dead",
            ["outcome", "cluster", "reason"], registry=registry,
        )  # fmt: skip
        self.distance = Histogram(
            "perennial_distance", "Distance to the nearest entry", ["outcome"],
            buckets=_DISTANCES, registry=registry,
        )  # fmt: skip
        self.margin = Histogram(
            "perennial_margin", "Distance between the best and the next identity",
            buckets=_DISTANCES, registry=registry,
        )  # fmt: skip
        self.shard_timeouts = Counter(
            "perennial_shard_timeouts", "Shard queries that failed or came back incomplete",
            registry=registry,
        )  # fmt: skip

        self.shards_searched = Histogram(
            "perennial_shards_searched", "Shards that one embedding was looked up in",
            buckets=_COUNTS, registry=registry,
        )  # fmt: skip
        self.inclusions = Counter(
            "perennial_inclusions", "Identified embeddings, by what the inclusion rule said",
            ["reason"], registry=registry,
        )  # fmt: skip

    def _conditioning(self, registry: CollectorRegistry) -> None:
        self.drift = Gauge(
            "perennial_drift",
            "How far recent embeddings lie from those of the fit, in standard deviations",
            ["cluster"], registry=registry,
        )  # fmt: skip
        self.fpir_asked = Gauge(
            "perennial_fpir_asked", "Share of unknown probes that may be identified by mistake",
            registry=registry,
        )  # fmt: skip
        self.fpir_believed = Gauge(
            "perennial_fpir_believed",
            "Share of unknown probes that is thought to be identified by mistake",
            ["evidence"], registry=registry,
        )  # fmt: skip

    def _gallery(self, registry: CollectorRegistry) -> None:
        self.gallery_entries = Gauge(
            "perennial_gallery_entries", "Entries", ["cluster", "status"], registry=registry
        )
        self.threshold = Gauge(
            "perennial_threshold", "Largest distance that counts as known", ["cluster"],
            registry=registry,
        )  # fmt: skip
        self.index_repairs = Counter(
            "perennial_index_repairs",
            "What was found wrong in Redis and put right: entries, keys, or all for a wrong count",
            ["what"], registry=registry,
        )  # fmt: skip
        self.gallery_unreadable = Gauge(
            "perennial_gallery_unreadable",
            "Keys of the gallery topic whose newest record cannot be read",
            registry=registry,
        )
        self.commands_overtaken = Counter(
            "perennial_commands_overtaken",
            "Commands that came after a later decision about an entry, and left it as it is",
            ["reason"], registry=registry,
        )  # fmt: skip
        self.removals = Counter(
            "perennial_retention_removals", "Entries that retention quarantined", ["reason"],
            registry=registry,
        )  # fmt: skip

    def _health(self, registry: CollectorRegistry) -> None:
        self.version = Gauge(
            "perennial_version", "Always 1; the labels tell what runs", ["part", "version"],
            registry=registry,
        )  # fmt: skip
        self.dependency_up = Gauge(
            "perennial_dependency_up", "1 while the dependency answers", ["dependency"],
            registry=registry,
        )  # fmt: skip
        self.stalled = Gauge(
            "perennial_stalled", "1 while a partition stands still though records wait",
            registry=registry,
        )  # fmt: skip
        self.retries = Counter(
            "perennial_retries", "Attempts that failed and were repeated", ["stage"],
            registry=registry,
        )  # fmt: skip
