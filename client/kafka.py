"""aiokafka for commands: a producer that waits for every broker, a reader that joins no group."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from client.admin import largest_records, partitions
from schemas.errors import DependencyDown, SetupError
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic

_MAX_BYTES = DEAD_LETTERS.max_bytes + 2**20
_SILENCE_S = 30.0
_BATCH_BYTES = 80  # the head of a batch, and of the record in it
_LENGTH_BYTES = 5  # before each key, value and header; most take fewer


class Producer:
    """Sends records; each counts as sent once all in-sync replicas have it."""

    def __init__(self, client: AIOKafkaProducer, address: str, largest: Mapping[str, int]) -> None:
        """Send through ``client``; ``largest`` has the bytes that each topic takes in a batch."""
        self._client = client
        self._address = address
        self._largest = largest

    async def send(self, record: Record) -> str:
        """Send one record and wait until it is acknowledged, repeating for up to 40 s.

        Returns:
            Where it lies, spelled as ``Record.position``.

        Raises:
            DependencyDown: the broker did not acknowledge it.
            SetupError: the record is larger than the topic takes; it was not sent.
        """
        if (size := _size(record)) > (most := self._largest.get(record.topic, size)):
            raise _too_large(record, f"its {size:,} bytes are more than the {most:,}")
        try:
            sent = await self._client.send_and_wait(
                record.topic, record.value, record.key, headers=list(record.headers)
            )
        except MessageSizeTooLargeError as error:
            raise _too_large(record, f"its {size:,} bytes are more") from error
        except KafkaError as error:
            raise _down(self._address, error) from error
        return f"{sent.topic}-{sent.partition}-{sent.offset}"


class Reader:
    """Reads whole topics from a place of its own: it joins no group and commits nothing."""

    def __init__(
        self, client: AIOKafkaConsumer, end: dict[TopicPartition, int], address: str
    ) -> None:
        self._client = client
        self._end = end
        self._address = address

    async def batch(self, wait_s: float) -> list[Record]:
        """Return what has come; nothing when nothing came for ``wait_s`` seconds."""
        found = await self._client.getmany(timeout_ms=int(wait_s * 1000))
        return [Record.of(raw) for records in found.values() for raw in records]

    async def to_end(self) -> AsyncIterator[Record]:
        """Yield at least all that was there when the reader was opened, then stop.

        Raises:
            DependencyDown: nothing came for 30 seconds.
        """
        heard = time.monotonic()
        while not await self._at_end():
            records = await self.batch(0.5)
            for record in records:
                yield record
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_S:
                raise DependencyDown("kafka", f"{self._address} fell silent while it was read")

    async def _at_end(self) -> bool:
        for partition, end in self._end.items():
            if await self._client.position(partition) < end:
                return False
        return True


@asynccontextmanager
async def producer(settings: Settings, *topics: Topic) -> AsyncIterator[Producer]:
    """Connect a producer that will send to ``topics``.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist (some brokers would make one that fits nobody).
    """
    address = settings.need_kafka()
    largest = await asyncio.to_thread(largest_records, settings, topics)
    # No idempotent producer: the embedded broker knows none, and a repeat changes nothing anyway.
    client = AIOKafkaProducer(
        bootstrap_servers=address,
        acks="all",
        max_request_size=_MAX_BYTES,
        max_batch_size=2**20,
    )
    try:
        try:
            await client.start()
        except KafkaError as error:
            raise _down(address, error) from error
        yield Producer(client, address, largest)
    finally:
        await client.stop()


@asynccontextmanager
async def reader(
    settings: Settings, *topics: Topic, from_beginning: bool, poll_ms: int = 100
) -> AsyncIterator[Reader]:
    """Connect a reader to all partitions of ``topics``, at their beginning or their end.

    ``poll_ms`` is how long the broker may hold a fetch; the embedded one answers no sooner, so it
    bounds how late a record is seen there.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: a topic does not exist.
    """
    address = settings.need_kafka()
    found = await asyncio.to_thread(partitions, settings, topics)
    places = [TopicPartition(name, number) for name, numbers in found.items() for number in numbers]
    client = AIOKafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=poll_ms,
        max_partition_fetch_bytes=_MAX_BYTES,
    )
    try:
        try:
            await client.start()
            client.assign(places)
            end = await client.end_offsets(places)
            if not from_beginning:
                await _seek_to_end(client, end)
        except KafkaError as error:
            raise _down(address, error) from error
        yield Reader(client, end, address)
    finally:
        await client.stop()


async def _seek_to_end(client: AIOKafkaConsumer, end: dict[TopicPartition, int]) -> None:
    """Seek past every record that is there.

    The embedded broker answers ``end_offsets`` with the first offset of its newest batch, plus one;
    what it says of the end in the answer to a fetch is right. So fetch once, near the end.
    """
    for place, offset in end.items():
        client.seek(place, max(0, offset - 1))
    give_up = time.monotonic() + _SILENCE_S
    while any(client.last_stable_offset(place) is None for place in end):
        await client.getmany(timeout_ms=50)
        if time.monotonic() > give_up:
            raise KafkaError("it does not say where its partitions end")
    for place in end:
        client.seek(place, client.last_stable_offset(place))


def _size(record: Record) -> int:
    """Return the bytes of a batch with this record alone, or a few more."""
    parts = [record.key, record.value, *(part for header in record.headers for part in header)]
    lengths = [len(part) for part in parts if part is not None]
    return _BATCH_BYTES + sum(lengths) + _LENGTH_BYTES * len(parts)


def _too_large(record: Record, how: str) -> SetupError:
    return SetupError(
        f"{record.header('ce_id') or 'a record'} was not sent: {how} that {record.topic} takes "
        "(max.message.bytes). Make the image smaller, or send in its place JSON with an image_uri "
        "(claim check)"
    )


def _down(address: str, error: KafkaError) -> DependencyDown:
    return DependencyDown(
        "kafka",
        f"no answer from {address} ({type(error).__name__}): is the broker running, and does "
        "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS name it?",
    )
