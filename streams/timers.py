"""What the streams do once a second, and what they say when it fails."""

import logging
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from schemas.errors import DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics

log = logging.getLogger(__name__)


def patient(
    work: Callable[[], Awaitable[None]], metrics: Metrics, health: Health
) -> Callable[[], Awaitable[None]]:
    """Return ``work`` as a timer does it: what it raises is said, and the next turn tries again."""
    down: set[str] = set()

    async def tick() -> None:
        try:
            await work()
        except Exception as error:
            if not isinstance(error, DependencyDown | KafkaError):
                log.exception("a timer failed")
            metrics.retries.labels("timer").inc()
            part = getattr(error, "dependency", "kafka")
            down.add(part)
            health.down(part, repr(error))
        else:
            while down:
                health.up(down.pop())

    return tick
