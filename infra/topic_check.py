"""What a service does before it reads anything: see that the topics are as they must be."""

import asyncio
import contextlib
import logging

from client.admin import check_topics
from infra.serve import Run
from schemas.errors import DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.settings import Settings

_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


def on_checked_topics(settings: Settings, run: Run) -> Run:
    """Return ``run`` with the check before it; where the check fails, ``run`` never begins.

    While the broker does not answer, the check waits and ``health`` says so.

    Raises:
        SetupError: (what is returned) a topic is not as it must be, see ``check_topics``.
    """

    async def checked(metrics: Metrics, health: Health, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await asyncio.to_thread(check_topics, settings)
            except DependencyDown as error:
                health.down("kafka", str(error))
                metrics.retries.labels("topics").inc()
                _log.warning("waiting: %s", error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _AGAIN_S)
            else:
                await run(metrics, health, stop)
                return

    return checked
