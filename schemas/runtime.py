"""What every service is given at its start, and hands to its parts."""

from dataclasses import dataclass

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """The surroundings of a running service.

    Attributes:
        settings: what the operator set.
        metrics: what Prometheus reads.
        health: what the probes for liveness and readiness read.
    """

    settings: Settings
    metrics: Metrics
    health: Health
