"""What every agent does with a batch: handle, publish, and only then let it be acknowledged.

A stage returns when each record of the batch has its outputs acknowledged by the broker or lies
in ``dead-letters``. While a dependency is down it does not return at all, which holds consumption
back; it never raises, because Faust would count the batch as done or leave its agent stuck.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from aiokafka.errors import KafkaError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_never,
    wait_exponential_jitter,
)
from tenacity.stop import StopBaseT

from schemas.dead_letter import dead_letter
from schemas.errors import BadInput, DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record

Handler = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]
"""Turns input records into output records. A repeat of a batch must lead to the same effect."""

Publish = Callable[[Sequence[Record]], Awaitable[Sequence[int]]]
"""Puts records on their topics; returns their offsets once the broker has acknowledged all."""

ATTEMPTS = 3
"""How often a record may make its handler fail for no known reason before it is set aside."""

log = logging.getLogger(__name__)


class Stage:
    """One agent's work, made safe against bad records, missing services and its own mistakes."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        publish: Publish,
        *,
        dead_letters: str,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self.name = name
        self._handler = handler
        self._publish = publish
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._health = health
        self._down: set[str] = set()

    async def process(self, records: Sequence[Record]) -> None:
        """Bring the batch to its end, record by record where the whole of it fails."""
        self._metrics.batch_size.labels(self.name).observe(len(records))
        started = perf_counter()
        try:
            await self._patiently(records)
        except Exception as error:  # noqa: BLE001  one bad record must not stop a partition
            if len(records) > 1:
                for record in records:
                    await self.process([record])
                return
            await self._set_aside(records[0], error)
        while self._down:
            self._health.up(self._down.pop())
        self._metrics.stage_seconds.labels(self.name).observe(perf_counter() - started)

    async def _patiently(self, records: Sequence[Record]) -> None:
        async for attempt in self._waiting(_is_temporary):
            with attempt:
                await self._once(records)

    async def _once(self, records: Sequence[Record]) -> None:
        outputs = await self._handler(records)
        if outputs:
            await self._publish(outputs)

    async def _set_aside(self, record: Record, error: Exception) -> None:
        if isinstance(error, BadInput):
            bad: BadInput | None = error
            attempts = 1
        else:
            bad = await self._insist(record, error)
            attempts = ATTEMPTS
        if bad is None:
            return
        log.warning("%s: %s set aside: %s", self.name, record.position, bad)
        letter = dead_letter(self._dead_letters, record, bad, self.name, attempts)
        # Whatever refuses a dead letter must be mended by the operator: there is no other place.
        async for attempt in self._waiting(_is_refusal):
            with attempt:
                await self._publish([letter])
        self._metrics.outcomes.labels("dead", "", bad.reason).inc()

    async def _insist(self, record: Record, error: Exception) -> BadInput | None:
        """Try again after an error that nobody foresaw; return what is left of it, if anything."""
        log.error("%s: %s failed", self.name, record.position, exc_info=error)
        try:
            async for attempt in self._waiting(_is_unforeseen, stop_after_attempt(ATTEMPTS - 1)):
                with attempt:
                    await self._patiently([record])
        except BadInput as bad:
            return bad
        except Exception as last:  # noqa: BLE001  it goes to dead-letters, with its name
            return BadInput("internal_error", f"{type(last).__name__}: {last}")
        return None

    def _waiting(
        self, when: Callable[[BaseException], bool], stop: StopBaseT = stop_never
    ) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(when),
            wait=wait_exponential_jitter(multiplier=0.05, max=2, jitter=0.1),
            before_sleep=self._note,
            stop=stop,
            reraise=True,
        )

    def _note(self, state: RetryCallState) -> None:
        error = None if state.outcome is None else state.outcome.exception()
        self._metrics.retries.labels(self.name).inc()
        level = logging.WARNING if state.attempt_number == 1 else logging.DEBUG
        log.log(level, "%s: waiting: %s", self.name, error)
        part = _dependency(error)
        self._down.add(part)
        self._health.down(part, str(error))


def _dependency(error: BaseException | None) -> str:
    if isinstance(error, DependencyDown):
        return error.dependency
    return "kafka" if isinstance(error, KafkaError) else "handler"


def _is_temporary(error: BaseException) -> bool:
    return isinstance(error, DependencyDown) or (
        isinstance(error, KafkaError) and bool(error.retriable)
    )


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, KafkaError | DependencyDown)


def _is_unforeseen(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, BadInput)
