"""Batches as no client makes them: bombs, and floods of headers."""

import asyncio
import struct
import time
import zlib

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from access.kafka import aiokafka_options
from schemas.settings import Settings

_GZIP = 1
_FIXED = struct.Struct(">hiqqqhii")


def bomb(size: int) -> bytes:
    """Return a gzip batch that unpacks to one record of so many bytes and something."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    body = _head(size)
    data = packer.compress(_varint(len(body) + size + 1) + body)
    step = 2**24
    for _ in range(size // step):
        data += packer.compress(bytes(step))
    return _batch(data + packer.compress(bytes(size % step) + b"\0") + packer.flush(), _GZIP)


def flood(headers: int) -> bytes:
    """Return a batch of one record with so many headers, all of them empty."""
    body = _head(1) + b"x" + _varint(headers) + b"\0\0" * headers
    return _batch(_varint(len(body)) + body, 0)


async def send(settings: Settings, topic: str, partition: int, data: bytes) -> int:
    """Put a batch on a partition as it is, once that has a leader; return its first offset.

    Raises:
        KafkaError: the broker refuses it.
    """
    client = AIOKafkaClient(**aiokafka_options(settings))
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


def _head(size: int) -> bytes:
    """Return a record up to its value: attributes, time, offset, no key, the length."""
    return b"\0\0\0\x01" + _varint(size)


def _varint(value: int) -> bytes:
    value <<= 1
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes([*out, value])


def _batch(records: bytes, codec: int) -> bytes:
    now_ms = int(time.time() * 1000)  # what is old is soon deleted
    fixed = _FIXED.pack(codec, 0, now_ms, now_ms, -1, -1, -1, 1)
    body = fixed + records
    head = struct.pack(">ibI", -1, 2, calc_crc32c(body))
    return struct.pack(">qi", 0, len(head) + len(body)) + head + body
