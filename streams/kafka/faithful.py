"""Faust's consumer, made to commit only what was done, and to end when it is asked to.

Three things of Faust 0.15 lose records: it acknowledges an event that it skips after a rebalance;
it commits over an event that was never acknowledged where that is the first one after the committed
offset; and it counts a failed commit as done. It also waits for ever, at its end and in a
rebalance, for a batch that is held up. Here a record is noted when it is fetched, whatever happens
to it afterwards, and only :meth:`FaithfulConsumer.settle` lets its offset be committed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiokafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.threads import WorkerThread

from access.parting import close_connections
from schemas.offsets import Offsets
from streams.kafka.fetching import FetchingThread, as_fetched

if TYPE_CHECKING:
    from collections.abc import Iterator

HAND_OVER_S = 3.0
"""How long a batch under way may delay a rebalance or the end; then it is read again."""

COMMIT_S = 2.0
LEAVE_S = 3.0
_JOIN_S = 1.0
_RETRY_S = 0.5

log = logging.getLogger(__name__)


class _Daemon(WorkerThread):
    """A thread that keeps no process alive, and whose end is not waited for without limit."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.daemon = True

    def stop(self) -> None:
        self.is_stopped.wait(_JOIN_S)


class FaithfulThread(FetchingThread):
    """The thread that talks to the broker."""

    Worker = _Daemon

    async def on_thread_stop(self) -> None:
        """Leave the group, within limits: the broker may be gone."""
        leaving = asyncio.ensure_future(super().on_thread_stop())
        done, _ = await asyncio.wait({leaving}, timeout=LEAVE_S)
        if not done:
            log.warning("the broker did not let us leave the group within %g s", LEAVE_S)
            if self._consumer is not None:
                await close_connections(self._consumer)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go back to the committed offsets, and to the beginning where there is none."""
        committed: Mapping[TP, int] = await self.call_thread(self._go_back)
        return committed

    async def _go_back(self) -> Mapping[Any, int]:
        consumer = self._ensure_consumer()
        committed: Mapping[Any, int] = await consumer.seek_to_committed()
        fresh = [place for place, offset in committed.items() if not offset]
        if fresh and not await consumer.seek_to_beginning(*fresh):
            raise KafkaTimeoutError(f"the beginning of {fresh} is not known")
        return committed

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit. Failing is harmless: it is committed later, or read again."""
        owned = self.assignment()
        places = {
            TopicPartition(place.topic, place.partition): OffsetAndMetadata(offset, "")
            for place, offset in offsets.items()
            if place in owned
        }
        self.tp_last_committed_at.update(dict.fromkeys(offsets, monotonic()))
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._ensure_consumer().commit(places)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.warning("offsets not committed: %r", error)
            return False
        return True


class FaithfulConsumer(driver.Consumer):
    """The consumer of the app, in its own thread."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offsets = Offsets()
        self._settlers: dict[tuple[str, int, int], Callable[[], None]] = {}
        self._reading = 0
        self._stale = False
        self._at_work = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._end_by: float | None = None

    @property
    def alive(self) -> bool:
        """Whether its thread runs, once it was started."""
        worker = self._thread._thread
        return worker is None or worker.is_alive()

    async def ping(self) -> None:
        """Wait until its thread has answered."""
        await self._thread.call_thread(asyncio.sleep, 0)

    @contextmanager
    def at_work(self) -> "Iterator[None]":
        """Note that a batch is under way: a rebalance gives it a moment to end."""
        self._at_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._idle.set()

    @staticmethod
    def settle(message: Any) -> None:
        """Let the offset of ``message`` be committed: its outputs are acknowledged."""
        message.settle()

    def ack(self, message: Any) -> bool:
        """Let Faust forget ``message``; it does this too with those that it skips."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def perform_seek(self) -> None:
        """Go back to the committed offsets; what was read before counts no more."""
        self._stale = True
        self._begin_anew()
        await super().perform_seek()
        self._stale = False

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand over."""
        await super().on_partitions_revoked(revoked)
        self._begin_anew()

    async def wait_empty(self) -> None:
        """Give what is under way a moment to end, and commit."""
        give_up = monotonic() + HAND_OVER_S
        if self.app.should_stop:  # Faust asks twice at its end
            give_up = self._end_by = give_up if self._end_by is None else self._end_by
        try:
            async with asyncio.timeout(give_up - monotonic()):
                await self._idle.wait()
        except TimeoutError:
            log.warning("a batch is held up: it will be read again")
        await self.commit()

    def _begin_anew(self) -> None:
        self._reading += 1
        self._settlers.clear()
        self.offsets.forget()

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Read what is next. What was asked for before a rebalance or a seek is read again."""
        reading = self._reading
        if self._stale:
            return await self._read_again()
        fetched = await super()._getmany(active_partitions, timeout)
        if reading != self._reading:
            return await self._read_again()
        for records in fetched.values():
            for record in records:
                place = (record.topic, record.partition, record.offset)
                self._settlers[place] = self.offsets.begin(record)
        for partition, position in cast(FetchingThread, self._thread).read_to.items():
            self.offsets.passed(partition, position)
        return fetched

    async def _read_again(self) -> Mapping[TP, list[Any]]:
        self._stale = True
        try:
            await self.perform_seek()
        except Exception as error:  # noqa: BLE001  nothing is read until it succeeds
            log.warning("cannot go back to the committed offsets yet: %r", error)
            await self.sleep(_RETRY_S)
        return {}

    def _to_message(self, tp: TP, record: Any) -> Any:
        fetched = as_fetched(record)
        message: Any = super()._to_message(tp, fetched)
        message.timestamp = fetched.timestamp  # in ms as everywhere here: Faust makes it seconds
        message.problem = getattr(record, "problem", None)
        message.settle = self._settlers.pop(
            (record.topic, record.partition, record.offset), _nothing
        )
        return message

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        done = await super()._commit(offsets)
        if done:
            self.offsets.committed({(p.topic, p.partition): at for p, at in offsets.items()})
        return done

    def _filter_committable_offsets(self, _: Iterable[TP]) -> dict[TP, int]:
        return {TP(*place): offset for place, offset in self.offsets.due().items()}

    async def verify_all_partitions_active(self) -> None:
        """Look for none that stands still: :mod:`streams.kafka.progress` does, by what it does."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note no gap: it is the fetched records that count."""


def _nothing() -> None:
    """Settle nothing: the record was read before a seek, and is read again."""
