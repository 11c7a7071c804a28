"""Records that Kafka's clients cannot read, put on a real broker of either make."""

import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from access.kafka import librdkafka_options
from benchmarks.hostile.batches import send
from infra.local.apache_kafka import ApacheKafka
from infra.local.embedded import Services
from schemas.records import Record
from schemas.settings import Settings
from tests.raw_batches import ZSTD, batch, garbage

MARK = b"<this will be overwritten>"


async def send_records(
    settings: Settings, topic: str, partition: int, records: Sequence[Record]
) -> int:
    """Put the records on a partition as one batch; return its first offset."""
    return await send(settings, topic, partition, batch(records, at_ms=int(time.time() * 1000)))


async def send_broken(
    services: Services, settings: Settings, topic: str, partition: int, count: int
) -> int:
    """Put a batch that cannot be unpacked on a partition; return its first offset.

    The embedded broker takes what says it is zstd and is not. Apache Kafka checks what it is sent,
    so there the bytes are broken afterwards, on its disk.
    """
    node = services.broker
    if not isinstance(node, ApacheKafka):
        return await send(settings, topic, partition, garbage(count, ZSTD))
    records = [Record(topic, b"k", MARK, (("ce_id", b"lost-%d" % n),)) for n in range(count)]
    first = await send_records(settings, topic, partition, records)
    _overwrite(node.data / f"{topic}-{partition}" / f"{0:020}.log", first)
    return first


def _overwrite(segment: Path, base: int) -> None:
    """Break the batch that begins at offset ``base``; its sum is then wrong."""
    with segment.open("r+b") as log:
        data = log.read()
        place = 0
        while (found := struct.unpack_from(">qi", data, place))[0] != base:
            place += 12 + found[1]
        log.seek(data.index(MARK, place))
        log.write(b"X" * len(MARK))


def send_in_transactions(settings: Settings, groups: Sequence[Sequence[Record]]) -> None:
    """Put each group of records in a transaction, and abort every second one."""
    producer = Producer({**librdkafka_options(settings), "transactional.id": settings.topic_prefix})
    producer.init_transactions(60)
    for number, group in enumerate(groups):
        producer.begin_transaction()
        for record in group:
            headers: list[Any] = list(record.headers)
            producer.produce(record.topic, record.value, record.key, headers=headers)
        producer.flush(60)
        if number % 2:
            producer.abort_transaction(60)
        else:
            producer.commit_transaction(60)
