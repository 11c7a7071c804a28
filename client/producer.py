"""Sends records; each counts as sent once all in-sync replicas have it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from access.kafka import aiokafka_options
from access.refusals import no_answer, rights_named
from access.rights import Operation
from client.admin import largest_records
from schemas.errors import SetupError
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, Topic

_BATCH_BYTES = 80  # the head of a batch, and of the record in it
_LENGTH_BYTES = 5  # before each key, value and header; most take fewer


class Producer:
    """Sends records; each counts as sent once all in-sync replicas have it."""

    def __init__(
        self, client: AIOKafkaProducer, settings: Settings, largest: Mapping[str, int]
    ) -> None:
        """Send through ``client``; ``largest`` has the bytes that each topic takes in a batch."""
        self._client = client
        self._settings = settings
        self._largest = largest

    async def send(self, record: Record) -> str:
        """Send one record and wait until it is acknowledged, repeating for up to 40 s.

        Returns:
            Where it lies, spelled as ``Record.position``.

        Raises:
            DependencyDown: the broker did not acknowledge it, or we may not write there.
            SetupError: the record is larger than the topic takes; it was not sent.
        """
        if (size := _size(record)) > (most := self._largest.get(record.topic, size)):
            raise _too_large(record, f"its {size:,} bytes are more than the {most:,}")
        try:
            with rights_named(self._settings, Operation.WRITE):
                sent = await self._client.send_and_wait(
                    record.topic, record.value, record.key, headers=list(record.headers)
                )
        except MessageSizeTooLargeError as error:
            raise _too_large(record, f"its {size:,} bytes are more") from error
        except KafkaError as error:
            raise no_answer(self._settings.need_kafka(), type(error).__name__) from error
        return f"{sent.topic}-{sent.partition}-{sent.offset}"


@asynccontextmanager
async def producer(settings: Settings, *topics: Topic) -> AsyncIterator[Producer]:
    """Connect a producer that will send to ``topics``."""
    address = settings.need_kafka()
    largest = await asyncio.to_thread(largest_records, settings, topics)
    # No idempotent producer: the embedded broker knows none, and a repeat changes nothing anyway.
    client = AIOKafkaProducer(
        **aiokafka_options(settings),
        acks="all",
        max_request_size=DEAD_LETTERS.request_bytes,
        max_batch_size=2**20,
    )
    try:
        try:
            await client.start()
        except KafkaError as error:
            raise no_answer(address, type(error).__name__) from error
        yield Producer(client, settings, largest)
    finally:
        await client.stop()


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
