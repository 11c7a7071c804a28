"""What every agent does with a batch: handle, publish, and only then let it be acknowledged.

A stage returns when each record of the batch has its outputs acknowledged by the broker or lies
in ``dead-letters``. While a dependency is down it does not return at all, which holds consumption
back; it never raises, because Faust would count the batch as done or leave its agent stuck.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import perf_counter

from access.patience import Patience
from access.set_aside import SetAside
from schemas.errors import BadInput
from schemas.records import Record
from schemas.runtime import Runtime

Handler = Callable[[Sequence[Record]], Awaitable[Sequence[Record]]]
"""Turns input records into output records. A repeat of a batch must lead to the same effect."""

Publish = Callable[[Sequence[Record]], Awaitable[Sequence[int]]]
"""Puts records on their topics; returns their offsets once the broker has acknowledged all."""

ATTEMPTS = 3
"""How often a record may make its handler fail for no known reason before it is set aside."""

_MAX_WAIT_S = 2.0

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
        self._metrics = runtime.metrics
        self._patience = Patience(runtime, _MAX_WAIT_S)
        self._set_aside = SetAside(runtime, self._patience, lambda letter: publish([letter]))

    async def process(self, records: Sequence[Record]) -> None:
        """Bring the batch to its end, record by record where the whole of it fails."""
        self._metrics.batch_size.labels(self.name).observe(len(records))
        started = perf_counter()
        for record in records:
            if record.problem is not None:
                await self._set_aside(record, None, record.problem, self.name, 1)
        readable = [record for record in records if record.problem is None]
        try:
            if readable:
                await self._patiently(readable)
        except Exception as error:  # noqa: BLE001  one bad record must not stop a partition
            if len(readable) > 1:
                for record in readable:
                    await self.process([record])
                return
            bad = error if isinstance(error, BadInput) else await self._insist(readable[0], error)
            if bad is not None:
                attempts = 1 if bad is error else ATTEMPTS
                await self._set_aside(readable[0], None, bad, self.name, attempts)
        self._metrics.stage_seconds.labels(self.name).observe(perf_counter() - started)

    async def _patiently(self, records: Sequence[Record]) -> None:
        await self._patience(self.name, partial(self._once, records))

    async def _once(self, records: Sequence[Record]) -> None:
        outputs = await self._handler(records)
        if outputs:
            await self._publish(outputs)

    async def _insist(self, record: Record, error: Exception) -> BadInput | None:
        """Try again after an error that nobody foresaw; return what is left of it, if anything."""
        log.error("%s: %s failed", self.name, record.position, exc_info=error)
        work = partial(self._patiently, [record])
        try:
            await self._patience(self.name, work, _is_unforeseen, ATTEMPTS - 1)
        except BadInput as bad:
            return bad
        except Exception as last:  # noqa: BLE001  it goes to dead-letters, with its name
            return BadInput("internal_error", f"{type(last).__name__}: {last}")
        return None


def _is_unforeseen(error: BaseException) -> bool:
    return isinstance(error, Exception) and not isinstance(error, BadInput)
