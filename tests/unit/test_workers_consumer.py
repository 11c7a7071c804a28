"""What the consumer does around a rebalance, with a client that does as it is told."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

from access.patience import Patience
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.offsets import Offsets
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import load_settings
from workers.service.consumer import FrameConsumer
from workers.service.lag import report_lag
from workers.service.pipeline import Pipeline

TP = TopicPartition("frames", 0)


class Client:
    """Stands for aiokafka's consumer."""

    def __init__(self) -> None:
        self.owned = {TP}
        self.chunks: asyncio.Queue[list[int]] = asyncio.Queue()
        self.commits: list[dict[TopicPartition, int]] = []
        self.failure: Exception | None = None
        self.ends: Callable[[], Any] = lambda: {TP: 10}
        self.at = 0

    async def getmany(self, *_: TopicPartition, **__: int) -> dict[TopicPartition, list[Any]]:
        offsets = await self.chunks.get()
        self.at = offsets[-1] + 1
        return {
            TP: [
                SimpleNamespace(
                    topic="frames", partition=0, offset=o, timestamp=0, key=None, value=b"",
                    headers=(("a", b"1"), ("null", None)),
                )
                for o in offsets
            ]
        }  # fmt: skip

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.failure is not None:
            raise self.failure
        self.commits.append(offsets)

    async def end_offsets(self, _: set[TopicPartition]) -> dict[TopicPartition, int]:
        return cast("dict[TopicPartition, int]", self.ends())

    async def position(self, _: TopicPartition) -> int:
        return self.at


class Sink:
    """Stands for the pipeline: takes records while it is open, and settles when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.taken: list[Record] = []
        self.dropped = 0
        self.settle: list[Callable[[], None]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.empty = asyncio.Event()
        self.empty.set()

    async def submit(self, record: Record, settle: Callable[[], None]) -> None:
        self.asked += 1
        await self.open.wait()
        self.taken.append(record)
        self.settle.append(settle)

    async def drained(self) -> None:
        await self.empty.wait()

    def drop_waiting(self) -> None:
        self.dropped += 1

    @property
    def offsets(self) -> list[int]:
        return [record.offset for record in self.taken]


class Bench:
    """A consumer between a fake client and a fake pipeline."""

    def __init__(self, metrics: Metrics, health: Health) -> None:
        self.client, self.sink = Client(), Sink()
        runtime = Runtime(load_settings(), metrics, health)
        patience = Patience(runtime, max_wait_s=0.001)
        pipeline = cast(Pipeline, self.sink)
        self.consumer = FrameConsumer(runtime, patience, pipeline)

    def connect(self) -> None:
        self.consumer._client = cast(AIOKafkaConsumer, self.client)


@pytest.fixture
def bench(metrics: Metrics, health: Health) -> Bench:
    made = Bench(metrics, health)
    made.connect()
    return made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_commits_follow_what_is_settled(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.client.chunks.put_nowait([3, 4, 5])
    await until(lambda: bench.sink.offsets == [3, 4, 5])
    assert bench.sink.taken[0].headers == (("a", b"1"), ("null", b""))
    bench.sink.settle[1]()
    await asyncio.sleep(0.3)
    assert bench.client.commits == []
    bench.sink.settle[0]()
    await until(lambda: bench.client.commits == [{TP: 5}])
    await asyncio.sleep(0.3)
    assert len(bench.client.commits) == 1, "nothing moved, nothing is committed"
    reading.cancel()


async def test_marks_behind_the_last_record_are_committed_too(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.client.chunks.put_nowait([0])
    await until(lambda: bench.sink.offsets == [0])
    bench.client.at = 3  # what lies there is of an aborted transaction
    bench.sink.settle[0]()
    await until(lambda: {TP: 3} in bench.client.commits)
    reading.cancel()


async def test_while_partitions_change_hands_nothing_counts_as_read(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.sink.open.clear()
    bench.client.chunks.put_nowait([0, 1, 2])
    await until(lambda: bench.sink.asked == 1)
    await bench.consumer.on_partitions_revoked({TP})
    bench.sink.open.set()
    await asyncio.sleep(0.5)
    assert bench.sink.offsets == [0], "the others are dropped, and lie below the position"
    assert bench.client.commits == []
    reading.cancel()


async def test_a_rebalance_while_waiting_for_records_drops_none(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    await asyncio.sleep(0)
    await bench.consumer.on_partitions_revoked({TP})
    bench.consumer.on_partitions_assigned({TP})
    bench.client.chunks.put_nowait([0, 1])
    await until(lambda: bench.sink.offsets == [0, 1])
    reading.cancel()


async def test_a_rebalance_under_back_pressure_drops_the_rest_to_be_read_again(
    bench: Bench,
) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.sink.open.clear()
    bench.client.chunks.put_nowait([0, 1, 2])
    await until(lambda: bench.sink.asked == 1)
    await bench.consumer.on_partitions_revoked({TP})
    bench.consumer.on_partitions_assigned({TP})
    bench.sink.open.set()
    bench.client.chunks.put_nowait([0, 1, 2])
    await until(lambda: bench.sink.offsets == [0, 0, 1, 2])
    for settle in bench.sink.settle[1:]:
        settle()
    await bench.consumer.finish(1)
    assert bench.client.commits == [{TP: 3}]
    reading.cancel()


async def test_what_is_inside_may_finish_before_the_partitions_go(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.client.chunks.put_nowait([0])
    await until(lambda: bench.sink.offsets == [0])
    bench.sink.empty.clear()
    revoking = asyncio.create_task(bench.consumer.on_partitions_revoked({TP}))
    await asyncio.sleep(0.01)
    assert not revoking.done()
    bench.sink.settle[0]()
    bench.sink.empty.set()
    await asyncio.wait_for(revoking, 60)
    assert bench.client.commits == [{TP: 1}]
    assert bench.sink.dropped == 1, "what waits for its image goes with its partition"
    reading.cancel()


async def test_partitions_of_others_are_not_committed(bench: Bench) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.client.chunks.put_nowait([0])
    await until(lambda: bench.sink.offsets == [0])
    bench.client.owned = {TopicPartition("frames", 1)}
    bench.sink.settle[0]()
    await bench.consumer.finish(1)
    assert bench.client.commits == []
    reading.cancel()


@pytest.mark.parametrize("error", [CommitFailedError("gone"), IllegalStateError("not ours")])
async def test_a_commit_that_fails_is_made_later(
    bench: Bench, metrics: Metrics, error: Exception
) -> None:
    reading = asyncio.create_task(bench.consumer.read())
    bench.client.chunks.put_nowait([0])
    await until(lambda: bench.sink.offsets == [0])
    bench.client.failure = error
    bench.sink.settle[0]()
    value = metrics.registry.get_sample_value
    await until(lambda: value("perennial_retries_total", {"stage": "commit"}) == 1)
    bench.client.failure = None
    await until(lambda: bench.client.commits == [{TP: 1}])
    reading.cancel()


async def test_finish_is_bounded(bench: Bench) -> None:
    bench.sink.empty.clear()
    async with asyncio.timeout(60):
        await bench.consumer.finish(0.01)


async def test_without_a_connection_there_is_nothing_to_finish(
    metrics: Metrics, health: Health
) -> None:
    bench = Bench(metrics, health)
    await bench.consumer.finish(1)
    await bench.consumer.close()
    with pytest.raises(RuntimeError, match="not connected"):
        _ = bench.consumer.client


async def test_lag_and_readiness_follow_the_broker(
    metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.service.lag._EVERY_S", 0.001)
    client = Client()
    client.at = 4
    runtime = Runtime(load_settings(), metrics, health)
    watching = asyncio.create_task(
        report_lag(lambda: cast(AIOKafkaConsumer, client), Offsets(), 60, runtime)
    )
    await until(lambda: health.ready)
    labels = {"topic": "frames", "partition": "0"}
    assert metrics.registry.get_sample_value("perennial_consumer_lag", labels) == 6

    def refuse() -> None:
        raise KafkaConnectionError("refused")

    client.ends = refuse
    await until(lambda: not health.ready)
    assert "refused" in health.report()["kafka"]
    client.ends = lambda: {TP: 4}
    await until(lambda: health.ready)
    watching.cancel()


async def test_a_worker_that_commits_nothing_while_frames_wait_stands_still(
    metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.service.lag._EVERY_S", 0.001)
    client = cast(AIOKafkaConsumer, Client())
    health.down("image store", "no answer")
    runtime = Runtime(load_settings(), metrics, health)
    watching = asyncio.create_task(report_lag(lambda: client, Offsets(), 0.05, runtime))
    await until(lambda: "kafka" in health.report())
    assert health.stall is None, "it is held up"
    health.up("image store")
    await until(lambda: health.stall is not None)
    assert str(health.stall).startswith("frames-0 stands still")
    watching.cancel()
