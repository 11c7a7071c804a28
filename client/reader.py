"""Reads topics from a place of its own: it joins no group and commits nothing."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain
from operator import attrgetter

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from access.kafka import aiokafka_options
from access.refusals import AllowedReads, no_answer, rights_named
from access.rights import Operation
from client.admin import partitions
from client.reading.examined import examine_batches
from client.reading.second_reader import second_reader
from schemas.metrics import Metrics
from schemas.reading import Reading
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic
from streams.kafka.read_topic import read_to_ends

_ENDS_WITHIN_S = 30.0
_FARTHER = 4  # times as far back as before, where offsets without a record leave too few
_MAX_RECORDS = 5000  # of one batch: millions of the smallest ones fit into an answer


class Reader:
    """Reads all partitions of some topics."""

    def __init__(self, client: AIOKafkaConsumer, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._address = settings.need_kafka()
        self._reading = Reading(second_reader(settings), Metrics(CollectorRegistry()))

    async def batch(self, wait_s: float) -> list[Record]:
        """Return what has come; nothing when nothing came for ``wait_s`` seconds.

        What cannot be unpacked is one record with its ``problem``: it hides nothing else.

        Raises:
            DependencyDown: a partition cannot be read at all.
            NotAllowed: we may not read a topic.
        """
        reads = AllowedReads(self._client, self._settings)
        places = self._client.assignment()
        fetched = await self._reading(reads, places, timeout_s=wait_s, most=_MAX_RECORDS)
        return [Record.of(raw) for records in fetched.values() for raw in records]

    def to_end(self) -> AsyncIterator[Record]:
        """Yield all that is there when the first fetches are answered, or a little more."""
        return read_to_ends(self._client, self._client.assignment(), partial(self.batch, 0.1))

    async def go_back(self, offsets: int) -> set[int]:
        """Read on from so many offsets before the ends.

        Returns the partitions that begin before that.
        """
        places = self._client.assignment()
        try:
            begins = await self._client.beginning_offsets(places)
            # Where the embedded broker tells too early an end, reading begins the sooner.
            ends = await self._client.end_offsets(places)
        except KafkaError as error:
            raise no_answer(self._address, type(error).__name__) from error
        starts = {place: max(begins[place], ends[place] - offsets) for place in places}
        for place, start in starts.items():
            self._client.seek(place, start)
        return {place.partition for place, start in starts.items() if start > begins[place]}


@asynccontextmanager
async def reader(
    settings: Settings,
    *topics: Topic,
    from_beginning: bool,
    poll_ms: int = 100,
    begins_at: tuple[int, int] | None = None,
) -> AsyncIterator[Reader]:
    """Connect a reader to all partitions of ``topics``, at their beginning or their end.

    Args:
        poll_ms: how long the broker may hold a fetch; the embedded one answers no sooner, so it
            bounds how late a record is seen there.
        begins_at: a partition and an offset in it; then nothing else is read.
    """
    address = settings.need_kafka()
    numbers = await asyncio.to_thread(partitions, settings, topics, Operation.READ)
    places = [
        TopicPartition(name, number)
        for name, held in numbers.items()
        for number in held
        if begins_at is None or number == begins_at[0]
    ]
    examine_batches()
    client = AIOKafkaConsumer(
        **aiokafka_options(settings),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=poll_ms,
        max_partition_fetch_bytes=DEAD_LETTERS.request_bytes,
    )
    try:
        try:
            await client.start()
            client.assign(places)
            if begins_at is not None:
                for place in places:
                    client.seek(place, begins_at[1])
            await asyncio.sleep(0)  # aiokafka's tasks must have begun before they can be ended
            if not from_beginning:
                with rights_named(settings, Operation.READ):
                    await _seek_ends(client)
        except KafkaError as error:
            raise no_answer(address, type(error).__name__) from error
        yield Reader(client, settings)
    finally:
        await client.stop()


async def records_of(settings: Settings, *topics: Topic) -> AsyncIterator[Record]:
    """Yield all records of topics, from their beginning to their present end."""
    async with reader(settings, *topics, from_beginning=True) as log:
        async for record in log.to_end():
            yield record


async def record_at(settings: Settings, topic: Topic, partition: int, offset: int) -> Record | None:
    """Return the record that lies there; None where it lies there no more, or not yet.

    Raises:
        DependencyDown: the partition cannot be read at all.
        NotAllowed: we may not read the topic.
    """
    place = (partition, offset)
    async with reader(settings, topic, from_beginning=True, begins_at=place) as log:
        async for record in log.to_end():
            return record if record.offset == offset else None
    return None


async def newest(settings: Settings, topic: Topic, count: int) -> list[Record]:
    """Return the last records of every partition, ``count`` of each at most, by their time."""
    async with reader(settings, topic, from_beginning=True) as log:
        return await newest_of(log, count)


async def newest_of(log: Reader, count: int) -> list[Record]:
    """Read them; not every offset has a record, so go back until there are enough."""
    back = count
    while True:
        cut = await log.go_back(back)
        kept: defaultdict[int, deque[Record]] = defaultdict(lambda: deque(maxlen=count))
        async for record in log.to_end():
            kept[record.partition].append(record)
        if all(len(kept[partition]) == count for partition in cut):
            return sorted(chain.from_iterable(kept.values()), key=attrgetter("timestamp_ms"))
        back *= _FARTHER


async def _seek_ends(client: AIOKafkaConsumer) -> None:
    """Seek past every record that is there.

    The embedded broker answers ``end_offsets`` with the first offset of its newest batch, plus one;
    what it says of the end in the answer to a fetch is right. So fetch once, near the end.
    """
    ends = await client.end_offsets(client.assignment())
    for place, offset in ends.items():
        client.seek(place, max(0, offset - 1))
    give_up = time.monotonic() + _ENDS_WITHIN_S
    while any(client.last_stable_offset(place) is None for place in ends):
        await client.getmany(timeout_ms=50)
        if time.monotonic() > give_up:
            raise KafkaError("it does not say where its partitions end")
    for place in ends:
        client.seek(place, client.last_stable_offset(place))
