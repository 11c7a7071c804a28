"""What to do while a dependency is down: try again for ever, ever more slowly, and say so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_never,
    wait_exponential_jitter,
)

from access.ending import end
from schemas.errors import DependencyDown, SetupError
from schemas.runtime import Runtime

T = TypeVar("T")

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
"""The only errors of Kafka that no waiting mends."""

_FIRST_WAIT_S = 0.05
_log = logging.getLogger(__name__)


def is_passing(error: BaseException) -> bool:
    """Tell whether the same work can succeed later."""
    passing = isinstance(error, DependencyDown | KafkaError | SetupError)
    return passing and not isinstance(error, TOO_LARGE)


class Patience:
    """Repeats work, with exponential backoff of at most ``max_wait_s``."""

    def __init__(self, runtime: Runtime, max_wait_s: float = 5.0) -> None:
        self._metrics = runtime.metrics
        self._health = runtime.health
        self._said = ""  # last, so that the log has it once
        self._wait = wait_exponential_jitter(
            multiplier=_FIRST_WAIT_S, max=max_wait_s, jitter=max_wait_s / 20
        )

    async def __call__(
        self,
        stage: str,
        work: Callable[[], Awaitable[T]],
        when: Callable[[BaseException], bool] = is_passing,
        attempts: int | None = None,
    ) -> T:
        """Return what ``work`` returns, however long that takes.

        Args:
            stage: what is being done, as the metrics name it.
            work: must be repeatable.
            when: tells whether an error is worth another attempt.
            attempts: how many there may be; None sets no limit.

        Raises:
            Exception: whatever ``work`` raises that is not worth another attempt, or at the last.
        """
        try:
            return await work()  # nearly always enough, and dearer under tenacity than by itself
        except Exception as error:
            if attempts == 1 or not when(error):
                raise
            down = {self.note(stage, error)}

        async def again() -> T:  # tenacity awaits only what is declared async
            return await work()

        def note(state: RetryCallState) -> None:
            error = None if state.outcome is None else state.outcome.exception()
            down.add(self.note(stage, error))

        retrying = AsyncRetrying(
            retry=retry_if_exception(when),
            wait=self._wait,
            stop=stop_never if attempts is None else stop_after_attempt(attempts - 1),
            before_sleep=note,
            reraise=True,
        )
        try:
            result: T = await retrying(again)
        finally:
            self.over(down)
        return result

    def note(self, stage: str, error: BaseException | None) -> str:
        """Say that ``error`` is waited out; return the part that is down, as readiness names it."""
        part, why = _part(error), str(error) or repr(error)
        self._metrics.retries.labels(stage).inc()
        self._health.down(part, why)
        if why != self._said:
            _log.warning("%s: waiting: %s", stage, why)
        self._said = why
        return part

    def over(self, parts: set[str]) -> None:
        """Say that these parts are no longer waited for."""
        while parts:
            self._said = ""
            self._health.up(parts.pop())


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> bool:
    """Do the work unless ``stop`` is set first; return whether it was done."""
    if stop.is_set():
        work.close()
        return False
    doing, asked = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([doing, asked], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            return False
        doing.result()
        return True
    finally:
        await end([doing, asked])


def _part(error: BaseException | None) -> str:
    if isinstance(error, DependencyDown):
        return error.dependency
    return "kafka" if isinstance(error, KafkaError) else "handler"
