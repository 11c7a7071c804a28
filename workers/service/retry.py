"""What to do while a dependency is down: try again for ever, ever more slowly, and say so."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from schemas.errors import DependencyDown
from schemas.runtime import Runtime

T = TypeVar("T")

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_log = logging.getLogger(__name__)


class Patience:
    """Repeats work whose dependency is down, with exponential backoff of at most ``max_wait_s``."""

    def __init__(self, runtime: Runtime, max_wait_s: float = 5.0) -> None:
        self._metrics = runtime.metrics
        self._health = runtime.health
        self._wait = wait_random_exponential(multiplier=0.1, max=max_wait_s)

    async def __call__(self, part: str, stage: str, work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, however long that takes.

        Args:
            part: the dependency, as readiness names it.
            stage: what is being done, as the metrics name it.
            work: must be repeatable.

        Raises:
            Exception: whatever ``work`` raises that is neither ``DependencyDown`` nor a Kafka
                error; and a record that is too large, which no patience makes smaller.
        """

        try:
            return await work()  # nearly always enough, and dearer under tenacity than by itself
        except (DependencyDown, KafkaError) as error:
            if not is_passing(error):
                raise
            self._note(part, stage, 1, error)

        async def again() -> T:  # tenacity awaits only what is declared async
            return await work()

        def note(state: RetryCallState) -> None:
            error = None if state.outcome is None else state.outcome.exception()
            self._note(part, stage, 1 + state.attempt_number, error)

        retrying = AsyncRetrying(
            retry=retry_if_exception(is_passing), wait=self._wait, before_sleep=note
        )
        result: T = await retrying(again)
        self._health.up(part)
        return result

    def _note(self, part: str, stage: str, attempt: int, error: BaseException | None) -> None:
        self._metrics.retries.labels(stage).inc()
        self._health.down(part, f"{stage}: {error}")
        _log.warning("%s, attempt %d: %s", stage, attempt, error)


def is_passing(error: BaseException) -> bool:
    """Tell whether the same work can succeed later."""
    return isinstance(error, DependencyDown | KafkaError) and not isinstance(error, TOO_LARGE)
