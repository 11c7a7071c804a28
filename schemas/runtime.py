"""What every service is given at its start, and hands to its parts."""

from dataclasses import dataclass

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.reading import Reading, SecondReader
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """The surroundings of a running service.

    Attributes:
        settings: what the operator set.
        metrics: what Prometheus reads.
        health: what the probes for liveness and readiness read.
        second: reads what the Kafka client cannot unpack; without it such a partition waits.
    """

    settings: Settings
    metrics: Metrics
    health: Health
    second: SecondReader | None = None

    def reading(self) -> Reading:
        """Return how a consumer of the service reads its partitions."""
        return Reading(self.second, self.metrics)
