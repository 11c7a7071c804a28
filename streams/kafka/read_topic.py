"""Topics that are read to their end; one of a single partition is read again and again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from functools import partial
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from access.kafka import aiokafka_options
from access.refusals import AllowedReads
from schemas.errors import DependencyDown
from schemas.reading import Reading
from schemas.records import Record
from schemas.settings import Settings

_SILENCE_S = 30.0
_MAX_RECORDS = 1000
_WAIT_MS = 5  # a fetch under way holds the next one up; between two readings there is none


async def read_to_ends(
    consumer: AIOKafkaConsumer,
    places: Collection[TopicPartition],
    fetch: Callable[[], Awaitable[Sequence[Record]]],
    through: int | None = None,
) -> AsyncIterator[Record]:
    """Yield what lies in partitions from their positions up to their present ends, then stop.

    Gaps between offsets are normal: compaction and the markers of transactions leave them.

    Args:
        consumer: assigned to the partitions.
        places: what is read.
        fetch: returns the next records of the partitions; none when none came for a moment.
        through: the last offset, in the place of the present end.

    Raises:
        DependencyDown: nothing came for 30 seconds.
    """
    before = {place: consumer.last_poll_timestamp(place) for place in places}
    ends = {} if through is None else dict.fromkeys(places, through + 1)
    last_at = monotonic()
    while not await _at_ends(consumer, places, ends):
        records = await fetch()
        for place in places:
            # The end that a fetch of now tells is right; the embedded broker's answer to
            # end_offsets is not.
            if place not in ends and consumer.last_poll_timestamp(place) != before[place]:
                ends[place] = consumer.last_stable_offset(place)
        for record in records:
            last_at = monotonic()
            yield record
        if monotonic() - last_at > _SILENCE_S:
            topics = ", ".join(sorted({place.topic for place in places}))
            raise DependencyDown("kafka", f"{topics} fell silent while it was read")


class TopicReader:
    """Reads a topic with a consumer of its own, which joins no group and rests in between.

    With ``reading``, a record that the client cannot unpack comes with its ``problem``; without
    one, it makes the reading raise.
    """

    def __init__(self, settings: Settings, topic: str, reading: Reading | None = None) -> None:
        self._settings = settings
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
            fetch = partial(self._fetch, consumer)
            async for record in read_to_ends(consumer, [self._place], fetch, through):
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
                **aiokafka_options(self._settings),
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

    async def _fetch(self, consumer: AIOKafkaConsumer) -> Sequence[Record]:
        places, reads = (self._place,), AllowedReads(consumer, self._settings)
        if self._reading is None:
            fetched = await reads.getmany(
                *places, timeout_ms=2 * _WAIT_MS, max_records=_MAX_RECORDS
            )
        else:
            fetched = await self._reading(
                reads, places, timeout_s=2 * _WAIT_MS / 1000, most=_MAX_RECORDS
            )
        messages: Sequence[Any] = fetched.get(self._place, ())
        return [Record.of(message) for message in messages]


async def _at_ends(
    consumer: AIOKafkaConsumer, places: Collection[TopicPartition], ends: dict[TopicPartition, Any]
) -> bool:
    for place in places:
        if ends.get(place) is None or await consumer.position(place) < ends[place]:
            return False
    return True
