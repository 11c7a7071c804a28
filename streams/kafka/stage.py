"""What every agent does with a batch: handle, publish, and only then let it be acknowledged.

A stage returns when each record of the batch has its outputs acknowledged by the broker or lies
in ``dead-letters``. While a dependency is down it does not return at all, which holds consumption
back; it never raises, because Faust would count the batch as done or leave its agent stuck.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import perf_counter

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_never,
    wait_exponential_jitter,
)
from tenacity.stop import StopBaseT

from schemas.dead_letter import at_lengths, dead_letter, size
from schemas.errors import BadInput, DependencyDown, SetupError
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import DEAD_LETTERS

Handler = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]
"""Turns input records into output records. A repeat of a batch must lead to the same effect."""

Publish = Callable[[Sequence[Record]], Awaitable[Sequence[int]]]
"""Puts records on their topics; returns their offsets once the broker has acknowledged all."""

ATTEMPTS = 3
"""How often a record may make its handler fail for no known reason before it is set aside."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
"""The only errors of Kafka that no waiting mends."""

log = logging.getLogger(__name__)


class Stage:
    """One agent's work, made safe against bad records, missing services and its own mistakes."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        publish: Publish,
        runtime: Runtime,
    ) -> None:
        self.name = name
        self._handler = handler
        self._publish = publish
        self._dead_letters = runtime.settings.topic(DEAD_LETTERS)
        self._metrics = runtime.metrics
        self._health = runtime.health
        self._down: set[str] = set()

    async def process(self, records: Sequence[Record]) -> None:
        """Bring the batch to its end, record by record where the whole of it fails."""
        self._metrics.batch_size.labels(self.name).observe(len(records))
        started = perf_counter()
        for record in records:
            if record.problem is not None:
                await self._set_aside(record, record.problem)
        readable = [record for record in records if record.problem is None]
        try:
            if readable:
                await self._patiently(readable)
        except Exception as error:  # noqa: BLE001  one bad record must not stop a partition
            if len(readable) > 1:
                for record in readable:
                    await self.process([record])
                return
            await self._set_aside(readable[0], error)
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
        await self._deliver(self._letter(record, bad, attempts))
        self._metrics.outcomes.labels("dead", "", bad.reason).inc()

    def _letter(self, record: Record, bad: BadInput, attempts: int) -> Record:
        """Return the dead letter; if even that cannot be made, one that names the position."""
        try:
            return dead_letter(self._dead_letters, record, bad, self.name, attempts)
        except Exception as error:
            log.exception("%s: %s makes no dead letter", self.name, record.position)
            bare = replace(record, key=None, headers=())
            what = BadInput(bad.reason, f"{bad} (headers and key left out: {error!r})")
            return dead_letter(self._dead_letters, bare, what, self.name, attempts)

    async def _deliver(self, letter: Record) -> None:
        """Put the letter, as much of it as the broker takes, however long that takes.

        Whatever refuses the smallest one must be mended by the operator: there is no other place.
        """
        *longer, shortest = at_lengths(letter)
        for shown in longer:
            if await self._fits(shown):
                return
        await self._until_taken(shortest, _is_anything)

    async def _fits(self, letter: Record) -> bool:
        try:
            await self._until_taken(letter, _is_mendable)
        except TOO_LARGE:
            log.warning("%s: the broker refuses %d bytes of dead letter", self.name, size(letter))
            return False
        return True

    async def _until_taken(self, letter: Record, when: Callable[[BaseException], bool]) -> None:
        async for attempt in self._waiting(when):
            with attempt:
                await self._publish([letter])

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
    """Tell whether the same work can succeed later."""
    passing = isinstance(error, DependencyDown | KafkaError | SetupError)
    return passing and not isinstance(error, TOO_LARGE)


def _is_mendable(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, TOO_LARGE)


def _is_anything(error: BaseException) -> bool:
    return isinstance(error, Exception)


def _is_unforeseen(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, BadInput)
