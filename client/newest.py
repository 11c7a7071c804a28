"""The newest records of a topic, without reading all of it."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from itertools import chain

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from client.admin import partitions
from schemas.errors import DependencyDown
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import Topic

_SILENCE_S = 30.0


async def newest(settings: Settings, topic: Topic, count: int) -> list[Record]:
    """Return the last records of every partition, ``count`` of each at most, by their time.

    Raises:
        DependencyDown: the broker does not answer, or fell silent for 30 seconds.
        SetupError: the topic does not exist.
    """
    address = settings.need_kafka()
    found = await asyncio.to_thread(partitions, settings, (topic,))
    places = [TopicPartition(name, number) for name, numbers in found.items() for number in numbers]
    client = AIOKafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=topic.max_bytes + 2**20,
    )
    try:
        await client.start()
        client.assign(places)
        # The embedded broker's end may be early by a batch, which only means a few records more.
        for place, end in (await client.end_offsets(places)).items():
            client.seek(place, max(0, end - count))
        return await _read(client, places, count)
    except KafkaError as error:
        raise DependencyDown("kafka", f"no answer from {address}: {error!r}") from error
    finally:
        await client.stop()


async def _read(
    client: AIOKafkaConsumer, places: Sequence[TopicPartition], count: int
) -> list[Record]:
    """Read to the end that the fetches tell."""
    kept: dict[TopicPartition, deque[Record]] = {place: deque(maxlen=count) for place in places}
    heard = time.monotonic()
    while not await _at_end(client, places):
        batches = await client.getmany(timeout_ms=100)
        for place, messages in batches.items():
            kept[place].extend(Record.of(message) for message in messages)
        if batches:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_S:
            raise DependencyDown("kafka", "it fell silent while it was read")
    return sorted(chain.from_iterable(kept.values()), key=lambda record: record.timestamp_ms)


async def _at_end(client: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> bool:
    for place in places:
        end = client.last_stable_offset(place)
        if end is None or await client.position(place) < end:
            return False
    return True
