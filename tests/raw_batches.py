"""Batches as a client of another make, or a broken one, could send them."""

import asyncio
import struct
from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.util import calc_crc32c

from schemas.records import Record

GARBAGE = b"these bytes are no compressed data at all"
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_HEADER, _ATTRIBUTES, _CRC = 61, 21, 17


def batch(records: Sequence[Record], codec: int = 0) -> bytes:
    """Return a batch of the records. A header name may hold bytes as surrogate escapes."""
    builder = Builder(2, codec, 0, -1, -1, -1, 2**30)
    swapped: list[tuple[bytes, bytes]] = []
    for number, record in enumerate(records):
        headers = []
        for name, value in record.headers:
            raw = name.encode(errors="surrogateescape")
            plain = raw.decode(errors="ignore").ljust(len(raw), "~")
            swapped.append((plain.encode(), raw))
            headers.append((plain, value))
        builder.append(number, 1_700_000_000_000, record.key, record.value, headers)
    data = bytes(builder.build())
    for plain_bytes, raw in swapped:
        if plain_bytes != raw:
            data = data.replace(plain_bytes, raw)
    return signed(data)


def garbage(count: int, codec: int = ZSTD) -> bytes:
    """Return a batch that says it holds ``count`` compressed records, and holds none."""
    data = bytearray(batch([Record("", b"k", b"v")] * count)[:_HEADER] + GARBAGE)
    struct.pack_into(">h", data, _ATTRIBUTES, codec)
    return signed(bytes(data))


def with_wrong_sum(data: bytes) -> bytes:
    """Return the batch with a check sum that is not its own."""
    return data[:_CRC] + bytes([data[_CRC] ^ 0xFF]) + data[_CRC + 1 :]


def signed(data: bytes, base: int = 0) -> bytes:
    """Return the batch with its length and check sum set, beginning at offset ``base``."""
    done = bytearray(data)
    struct.pack_into(">qi", done, 0, base, len(done) - 12)
    struct.pack_into(">I", done, _CRC, calc_crc32c(bytes(done[_ATTRIBUTES:])))
    return bytes(done)


async def send(servers: str, topic: str, partition: int, data: bytes) -> int:
    """Put a batch on a partition as it is, once that has a leader; return its first offset.

    Raises:
        KafkaError: the broker refuses it.
    """
    client = AIOKafkaClient(bootstrap_servers=servers)
    try:
        await client.bootstrap()
        async with asyncio.timeout(30):
            while True:
                await client._wait_on_metadata(topic)
                code, offset = await _try(client, TopicPartition(topic, partition), data)
                if code == 0:
                    return offset
                if not for_code(code).retriable:
                    raise for_code(code)(f"{topic}-{partition} refuses the batch")
                await asyncio.sleep(0.1)
    finally:
        await client.close()


async def _try(client: AIOKafkaClient, place: TopicPartition, data: bytes) -> tuple[int, int]:
    request = ProduceRequest(
        transactional_id=None,
        required_acks=-1,
        timeout=10_000,
        topics=[(place.topic, [(place.partition, data)])],
    )
    response = await client.send(client.cluster.leader_for_partition(place), request)
    [(_, [(_, code, offset, *_)])] = response.topics
    return int(code), int(offset)
