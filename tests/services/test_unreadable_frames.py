"""Frames that the Kafka client cannot read cost none of their neighbours: all are accounted for."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import Producer

from access.kafka import librdkafka_options
from client.reading.second_reader import second_reader
from infra.local.embedded import Services
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, EMBEDDINGS, FRAMES
from tests.services.kafka import collecting, eventually, running
from tests.services.test_worker import Quick, all_of, frame, ids, lag
from tests.services.unreadable import send_broken, send_in_transactions, send_records
from workers.service.embedder import serve


def worker(settings: Settings, metrics: Metrics) -> Any:
    """Return a service that runs a worker with a model that costs nothing."""
    runtime = Runtime(settings, metrics, Health(metrics), second_reader(settings))
    return running(lambda stop: serve(Quick(), 2, runtime, stop))


def all_is_read(metrics: Metrics, settings: Settings) -> bool:
    """Return whether nothing waits (below 0: the embedded broker tells an end that is too low)."""
    behind = lag(metrics, settings)
    return behind is not None and behind <= 0


def dead(settings: Settings, found: Sequence[Record]) -> list[Record]:
    return [record for record in found if record.topic == settings.topic(DEAD_LETTERS)]


def stretch(letter: Record) -> tuple[str, int, int]:
    """Return the partition and the offsets that a letter stands for."""
    last = str(letter.header("dead_offset"))
    first = letter.header("dead_first_offset")
    return str(letter.header("dead_partition")), int(last if first is None else first), int(last)


async def test_a_bad_header_name_is_dead_with_its_bytes_and_the_others_go_on(
    settings: Settings, metrics: Metrics
) -> None:
    topic = settings.topic(FRAMES)
    bad = [frame(settings, 90 + n, None, ("caf\udce9", b"x")) for n in range(4)]
    async with collecting(settings, EMBEDDINGS, DEAD_LETTERS) as found:
        async with worker(settings, metrics):
            for start in range(0, 80, 8):
                for partition in range(4):
                    own = [
                        frame(settings, n) for n in range(start, start + 8) if n % 4 == partition
                    ]
                    if start == 40 and partition != 1:
                        own.insert(1, bad[partition])
                    await send_records(settings, topic, partition, own)
            await eventually(lambda: len(ids(found)) >= 83, "each has its outcome")
            await eventually(lambda: all_is_read(metrics, settings), "all is read")
        async with worker(settings, metrics):  # and again: nothing of it is read a second time
            await send_records(settings, topic, 2, [frame(settings, 80)])
            await eventually(lambda: len(ids(found)) >= 84, "the next worker reads on")
    letters = dead(settings, found)
    assert sorted(ids([r for r in found if r not in letters])) == sorted(all_of(81))
    assert sorted(ids(letters)) == ["f-90", "f-92", "f-93"]
    for letter in letters:
        [origin] = [r for r in bad if r.header("ce_id") == letter.header("ce_id")]
        assert letter.header("dead_reason") == "bad_header_name"
        assert letter.value == origin.value
        assert letter.header("caf\\xe9") == "x"
        assert letter.header("background") == origin.header("background")


async def test_batches_that_cannot_be_unpacked_are_named_and_the_rest_is_read(
    settings: Settings, metrics: Metrics, stack_services: Services
) -> None:
    topic = settings.topic(FRAMES)
    broken: list[tuple[str, int, int]] = []
    count = 0
    async with (
        collecting(settings, EMBEDDINGS) as found,
        collecting(settings, DEAD_LETTERS) as letters,
    ):
        # Partition 1 begins with one, 2 ends with one, 3 has two in a row.
        for step in range(6):
            for partition in range(4):
                if (partition, step) in {(0, 2), (1, 0), (2, 5), (3, 3), (3, 4)}:
                    first = await send_broken(stack_services, settings, topic, partition, 5)
                    broken.append((str(partition), first, first + 4))
                else:
                    own = [frame(settings, count + n) for n in range(10)]
                    await send_records(settings, topic, partition, own)
                    count += 10
        async with worker(settings, metrics):
            await eventually(
                lambda: set(ids(found)) == all_of(count), "no good frame is lost", within_s=120
            )
            await eventually(lambda: len(letters) == len(broken), "each broken batch is named")
            await eventually(lambda: all_is_read(metrics, settings), "all is read")
            await send_records(settings, topic, 2, [frame(settings, count)])
            await eventually(lambda: len(ids(found)) > count, "it goes on")
    assert sorted(ids(found)) == sorted(all_of(count + 1)), "nothing is done twice"
    assert sorted(map(stretch, letters)) == sorted(broken)
    accounted = len(found) + sum(last + 1 - first for _, first, last in map(stretch, letters))
    assert accounted == count + 1 + 5 * len(broken)
    for letter in letters:
        assert letter.header("dead_reason") == "unreadable_batch"
        assert letter.header("dead_stage") == "read"
        assert "cannot be unpacked" in str(letter.header("dead_error"))
        assert letter.value


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_of_another_client_is_read(
    settings: Settings, metrics: Metrics, codec: str
) -> None:
    producer = Producer(
        {**librdkafka_options(settings), "compression.type": codec, "linger.ms": 50}
    )
    for number in range(40):
        record = frame(settings, number)
        # Compressible, so that the client does send it compressed.
        headers: list[Any] = [*record.headers, ("note", bytes(2000))]
        producer.produce(record.topic, record.value, record.key, headers=headers)
    assert producer.flush(30) == 0
    async with collecting(settings, EMBEDDINGS) as found, worker(settings, metrics):
        await eventually(lambda: set(ids(found)) == all_of(40), "all are read")
    assert metrics.registry.get_sample_value("perennial_retries_total", {"stage": "read"}) is None


async def test_aborted_transactions_are_not_read_as_real(
    on_apache: Settings, metrics: Metrics
) -> None:
    frames = [frame(on_apache, number) for number in range(60)]
    send_in_transactions(on_apache, [frames[at : at + 10] for at in range(0, 60, 10)])
    wanted = {f"f-{number}" for number in range(60) if number // 10 % 2 == 0}
    async with collecting(on_apache, EMBEDDINGS) as found, worker(on_apache, metrics):
        await eventually(lambda: set(ids(found)) >= wanted, "what was committed is read")
        await eventually(lambda: all_is_read(metrics, on_apache), "there is nothing behind it")
    assert sorted(ids(found)) == sorted(wanted)
