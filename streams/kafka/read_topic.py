"""A topic of one partition that is read again and again, from wherever one likes."""

from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import DependencyDown
from schemas.reading import Reading
from schemas.records import Record

_SILENCE_S = 30.0
_MAX_RECORDS = 1000
_WAIT_MS = 5  # a fetch under way holds the next one up; between two readings there is none


class TopicReader:
    """Reads a topic with a consumer of its own, which joins no group and rests in between.

    Gaps between offsets are normal: compaction and the markers of transactions leave them. With
    ``reading``, a record that the client cannot unpack comes with its ``problem``; without one, it
    makes the reading raise.
    """

    def __init__(self, bootstrap_servers: str, topic: str, reading: Reading | None = None) -> None:
        self._servers = bootstrap_servers
        self._place = TopicPartition(topic, 0)
        self._reading = reading
        self._consumer: AIOKafkaConsumer | None = None

    async def read(self, after: int, through: int | None = None) -> AsyncIterator[Record]:
        """Yield the records with offsets above ``after``, up to ``through`` or the present end.

        Raises:
            DependencyDown: nothing came for 30 seconds.
            KafkaError: the broker does not answer.
        """
        consumer = await self._connected()
        whole = False
        try:
            consumer.seek(self._place, after + 1)
            consumer.resume(self._place)
            async for record in self._to(consumer, None if through is None else through + 1):
                yield record
            consumer.pause(self._place)
            whole = True
        finally:
            if not whole:
                await self.close()

    async def begins(self) -> int:
        """Return the first offset that the topic still has."""
        consumer = await self._connected()
        return int((await consumer.beginning_offsets([self._place]))[self._place])

    async def close(self) -> None:
        """Disconnect; the next reading connects anew."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._servers,
                enable_auto_commit=False,
                # A beginning that was cut off must not read as an end.
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                fetch_max_wait_ms=_WAIT_MS,
            )
            try:
                await consumer.start()
                consumer.assign([self._place])
                consumer.pause(self._place)
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer

    async def _to(self, consumer: AIOKafkaConsumer, end: int | None) -> AsyncIterator[Record]:
        last_at, known = monotonic(), end
        before = consumer.last_poll_timestamp(self._place)
        while known is None or await consumer.position(self._place) < known:
            messages = await self._fetch(consumer)
            # The end that a fetch of now tells is right; the embedded broker's answer to
            # end_offsets is not.
            if end is None and consumer.last_poll_timestamp(self._place) != before:
                known = consumer.last_stable_offset(self._place)
            for message in messages:
                last_at = monotonic()
                yield Record.of(message)
            if monotonic() - last_at > _SILENCE_S:
                raise DependencyDown("kafka", f"{self._place.topic} fell silent while it was read")

    async def _fetch(self, consumer: AIOKafkaConsumer) -> Sequence[Any]:
        places = (self._place,)
        if self._reading is None:
            fetched = await consumer.getmany(*places, timeout_ms=2 * _WAIT_MS)
        else:
            fetched = await self._reading(
                consumer, places, timeout_s=2 * _WAIT_MS / 1000, most=_MAX_RECORDS
            )
        messages: Sequence[Any] = fetched.get(self._place, ())
        return messages


async def read_to_end(
    bootstrap_servers: str, topic: str, after: int = -1, reading: Reading | None = None
) -> AsyncIterator[Record]:
    """Yield the records with offsets above ``after``, up to the present end."""
    reader = TopicReader(bootstrap_servers, topic, reading)
    try:
        async for record in reader.read(after):
            yield record
    finally:
        await reader.close()
