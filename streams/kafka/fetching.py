"""How Faust's thread fetches: what cannot be unpacked ends no thread and costs no neighbour."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from access.fetch_pace import keep_pace
from access.refusals import AllowedReads, is_lost
from schemas.reading import Reading
from schemas.records import Record
from schemas.settings import Settings

_WAIT_S, _RETRY_S, _MAX_RECORDS = 1.0, 0.5, 256

log = logging.getLogger(__name__)


class FetchingThread(driver.AIOKafkaConsumerThread):
    """Fetches each partition by itself, as :mod:`schemas.reading` does."""

    reading: Reading
    settings: Settings
    """How it reads, and of which deployment; whoever makes the thread sets them."""

    _said = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        # By partition, the offset below which the last fetch has handed out all there is.
        self.read_to: dict[tuple[str, int], int] = {}

    async def on_start(self) -> None:
        """Connect, and fetch at the pace of the broker."""
        await super().on_start()
        keep_pace(self._ensure_consumer())

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Iterable[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        """Read what comes first; no error of reading may end the thread.

        Raises:
            ConsumerStoppedError: the consumer is stopped.
        """
        self.read_to = {}
        if not self.consumer.flow_active:
            return {}
        if consumer._closed or consumer._fetcher._closed:
            raise ConsumerStoppedError
        places = [TopicPartition(place.topic, place.partition) for place in active_partitions]
        wait_s = _WAIT_S if timeout is None else timeout
        most = _MAX_RECORDS if max_records is None else max_records
        try:
            reads = AllowedReads(consumer, self.settings)
            records = await self.reading(reads, places, timeout_s=wait_s, most=most)
        except ConsumerStoppedError:
            raise
        except Exception as error:  # noqa: BLE001  Faust would end, and it can succeed later
            self._say(repr(error))
            if is_lost(consumer):
                self._begin_anew(error)
            await asyncio.sleep(_RETRY_S)
            return {}
        self._said = ""
        with suppress(KafkaError, TimeoutError):  # of a rebalance; then none of it counts
            async with asyncio.timeout(_RETRY_S):
                read_to = {tuple(place): await consumer.position(place) for place in places}
            self.read_to = read_to
        return records

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Look at nothing: ``/healthz`` tells what stands still.

        Faust looks at each partition now and then and only logs what it finds; but where a slow
        broker has not told the position of one yet, that look raises and ends the streams.
        """

    def _begin_anew(self, error: Exception) -> None:
        """End the app, which is begun again: this consumer would give this error for ever."""
        why = KafkaError(f"the consumer lost its group: {error}")
        app: Any = self.consumer.app
        app.loop.call_soon_threadsafe(app.give_up, why)

    def _say(self, why: str) -> None:
        """Warn once of what may go on for hours."""
        if why != self._said:
            log.warning("cannot read: %s", why)
        self._said = why

    def highwater(self, tp: TP) -> int:
        """Return the end as a reader of what is committed sees it."""
        stable = self._ensure_consumer().last_stable_offset(tp)
        return super().highwater(tp) if stable is None or stable < 0 else int(stable)


def as_fetched(record: Any) -> Any:
    """Return what the second reader gave as if the first had given it."""
    if not isinstance(record, Record):
        return record
    return ConsumerRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp_ms,
        timestamp_type=0,
        key=record.key,
        value=record.value,
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=-1,
        headers=record.headers,
    )
