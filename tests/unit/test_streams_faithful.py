"""What the consumer of the streams commits, with a thread that does as it is told."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from schemas.errors import BadInput
from schemas.metrics import Metrics
from schemas.reading import Reading
from schemas.records import Record
from schemas.settings import load_settings
from streams.kafka.faithful import FaithfulConsumer
from streams.kafka.faust_app import tamed_app

PLACE = TP("t", 0)


def fetched(*offsets: int) -> Mapping[TP, list[Any]]:
    """Return records as the broker's client hands them over."""
    records = [
        SimpleNamespace(
            topic="t", partition=0, offset=offset, timestamp=1000, timestamp_type=0, headers=(),
            key=b"k", value=b"v", checksum=0, serialized_key_size=1, serialized_value_size=1,
        )
        for offset in offsets
    ]  # fmt: skip
    return {PLACE: records}


class Thread:
    """Stands for the thread that talks to the broker."""

    def __init__(self) -> None:
        self.found: asyncio.Queue[Mapping[TP, list[Any]]] = asyncio.Queue()
        self.committed: list[dict[TP, int]] = []
        self.read_to: dict[tuple[str, int], int] = {}
        self.refuses = False
        self.seeks = 0
        self.unreachable = 0

    async def getmany(self, *_: Any) -> Mapping[TP, list[Any]]:
        return await self.found.get()

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        if not self.refuses:
            self.committed.append(dict(offsets))
        return not self.refuses

    async def seek_to_committed(self) -> Mapping[TP, int]:
        self.seeks += 1
        if self.unreachable:
            self.unreachable -= 1
            raise KafkaConnectionError("no broker")
        return {PLACE: 10}

    def assignment(self) -> set[TP]:
        return {PLACE}

    def highwater(self, _: TP) -> int:
        return 100


@pytest.fixture
def thread() -> Thread:
    return Thread()


@pytest.fixture
async def consumer(
    thread: Thread, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> FaithfulConsumer:
    async def flushed() -> None:
        """There is nothing to flush."""

    monkeypatch.setattr("streams.kafka.faithful._RETRY_S", 0)
    app = tamed_app(load_settings(kafka_bootstrap_servers="127.0.0.1:9"), Reading(None, metrics))
    app.consumer_generation_id = 1
    monkeypatch.setattr(app.producer, "flush", flushed)
    reader = app.reader
    reader._thread.thread_loop.close()
    reader._thread = thread  # type: ignore[assignment]
    reader._set_active_tps({PLACE})
    return reader


async def read(consumer: FaithfulConsumer, thread: Thread, *offsets: int) -> list[Any]:
    thread.found.put_nowait(fetched(*offsets))
    return [message async for _, message in consumer.getmany(1.0)]


async def test_a_record_that_was_not_settled_is_not_passed(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    """Faust passes the first one after the committed offset, and any where none is committed."""
    messages = await read(consumer, thread, 10, 11, 12)
    for message in messages[1:]:
        consumer.settle(message)
    await consumer.commit()
    assert thread.committed == []
    consumer.settle(messages[0])
    await consumer.commit()
    assert thread.committed == [{PLACE: 13}]


async def test_a_record_that_faust_skips_and_acknowledges_is_not_passed(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    """It does so with what was read before a rebalance and taken after it."""
    skipped, taken = await read(consumer, thread, 10, 11)
    assert consumer.ack(skipped)
    consumer.settle(taken)
    consumer.ack(taken)
    await consumer.commit()
    assert thread.committed == []


async def test_a_commit_that_failed_is_made_later(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    (message,) = await read(consumer, thread, 10)
    consumer.settle(message)
    thread.refuses = True
    await consumer.commit()
    thread.refuses = False
    await consumer.commit()
    await consumer.commit()
    assert thread.committed == [{PLACE: 11}]


async def test_what_was_under_way_before_a_seek_counts_no_more(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    old = await read(consumer, thread, 10, 11, 12)
    await consumer.perform_seek()
    new = await read(consumer, thread, 10, 11, 12)
    for message in old:
        consumer.settle(message)
    await consumer.commit()
    assert thread.committed == []
    consumer.settle(new[0])
    await consumer.commit()
    assert thread.committed == [{PLACE: 11}]


async def test_what_was_asked_for_before_a_seek_is_read_again(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    """Its records lie beyond those that the seek went back to."""
    late = asyncio.ensure_future(consumer._getmany({PLACE}, 1.0))
    await asyncio.sleep(0)
    await consumer.perform_seek()
    thread.found.put_nowait(fetched(50, 51))
    assert await late == {}
    assert thread.seeks == 2, "the records that it came with would be passed over"
    (first,) = await read(consumer, thread, 10)
    consumer.settle(first)
    await consumer.commit()
    assert thread.committed == [{PLACE: 11}]


async def test_nothing_is_read_until_it_could_go_back(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    """Faust goes on from where it is, and commits over what lies between."""
    thread.unreachable = 3
    with pytest.raises(KafkaConnectionError):
        await consumer.perform_seek()
    thread.found.put_nowait(fetched(50))
    for _ in range(3):
        assert await consumer._getmany({PLACE}, 1.0) == {}
    assert thread.found.qsize() == 1
    assert thread.seeks == 4


async def test_a_batch_under_way_delays_a_rebalance_for_a_moment_only(
    consumer: FaithfulConsumer, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.kafka.faithful.HAND_OVER_S", 0.01)
    (message,) = await read(consumer, thread, 10)
    with consumer.at_work():
        await consumer.wait_empty()
    assert thread.committed == []
    consumer.settle(message)
    await consumer.wait_empty()
    assert thread.committed == [{PLACE: 11}]


async def test_what_lies_behind_the_last_record_and_is_none_is_committed(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    messages = await read(consumer, thread, 10, 11)
    consumer.settle(messages[0])
    thread.read_to = {("t", 0): 14}
    assert await read(consumer, thread) == []
    await consumer.commit()
    assert thread.committed == [{PLACE: 11}]
    consumer.settle(messages[1])
    await consumer.commit()
    assert thread.committed[1:] == [{PLACE: 14}]


async def test_a_record_keeps_its_time_and_its_problem(
    consumer: FaithfulConsumer, thread: Thread
) -> None:
    [message] = await read(consumer, thread, 10)
    assert Record.of(message).timestamp_ms == 1000
    problem = BadInput("bad_header_name", "b'\\xe9' is not UTF-8")
    bad = Record("t", b"k", b"v", (), 0, 11, 1001, problem)
    thread.found.put_nowait({PLACE: [bad]})
    [message] = [message async for _, message in consumer.getmany(1.0)]
    assert Record.of(message) == bad
