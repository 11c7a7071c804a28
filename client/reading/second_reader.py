"""The second reader: fetches the raw bytes of a partition and takes them apart record by record."""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest

from access.kafka import aiokafka_options
from client.reading.raw_batches import unpack
from schemas.reading import Chunk, SecondReader
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS

_WAIT_MS = 500


def second_reader(settings: Settings) -> SecondReader:
    """Return a reader of any partition of the deployment's broker; each call connects anew."""

    async def read(topic: str, partition: int, offset: int) -> Chunk:
        """Return what lies from ``offset`` on.

        Raises:
            KafkaError: the broker does not answer, or has nothing there.
        """
        client = AIOKafkaClient(**aiokafka_options(settings))
        try:
            await client.bootstrap()
            return await _read(client, TopicPartition(topic, partition), offset)
        finally:
            await client.close()

    return read


async def _read(client: AIOKafkaClient, place: TopicPartition, offset: int) -> Chunk:
    await client._wait_on_metadata(place.topic)
    leader = client.cluster.leader_for_partition(place)
    if leader is None or leader == -1:
        raise LeaderNotAvailableError(f"{place.topic}-{place.partition} has no leader")
    wanted = [(place.topic, [(place.partition, offset, DEAD_LETTERS.request_bytes)])]
    request = FetchRequest(_WAIT_MS, 1, DEAD_LETTERS.request_bytes, READ_COMMITTED, wanted)
    response = await client.send(leader, request)
    [(_, [(_, code, end, *rest)])] = response.topics
    error = for_code(code)
    if code != 0:
        raise error(f"reading {place.topic}-{place.partition} from {offset} on")
    chunk = unpack(place, bytes(rest[-1]), _aborted(response.API_VERSION, rest), offset, end)
    if chunk.next_offset <= offset:
        raise KafkaError(f"no whole batch in {len(rest[-1])} bytes")
    return chunk


def _aborted(version: int, rest: list[Any]) -> Any:
    """Return the aborted transactions of an answer; newer ones tell a replica after them."""
    return rest[2] if version >= 11 else rest[-2]
