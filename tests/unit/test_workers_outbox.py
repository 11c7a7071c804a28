"""The outbox goes on whatever a record brings along, and whatever becomes of its producer."""

from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from access.patience import Patience
from schemas.errors import BadInput
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import load_settings
from tests.unit.pipeline_bench import IMAGE, bench
from workers.service.job import Job, read_job
from workers.service.outbox import Outbox


class Producer:
    """Stands for aiokafka's producer; fails with the errors it is given, then takes all."""

    def __init__(self, *errors: Exception, for_ever: bool = False) -> None:
        self.errors = list(errors)
        self.for_ever = for_ever
        self.taken: list[tuple[str, bytes | None, bytes | None]] = []
        self.stopped = False

    async def send_and_wait(
        self, topic: str, value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        if self.errors:
            raise self.errors[0] if self.for_ever else self.errors.pop(0)
        for name, _ in headers:
            name.encode()
        self.taken.append((topic, key, value))

    async def stop(self) -> None:
        self.stopped = True


def outbox(metrics: Metrics, monkeypatch: pytest.MonkeyPatch, *producers: Producer) -> Outbox:
    runtime = Runtime(load_settings(), metrics, Health(metrics))
    made = Outbox(runtime, Patience(runtime, max_wait_s=0.001))
    left = list(producers)

    async def connect(_: Any) -> AIOKafkaProducer:
        return cast(AIOKafkaProducer, left.pop(0))

    monkeypatch.setattr(Outbox, "_connect", connect)
    return made


def job(**changes: Any) -> Job:
    fields = {"topic": "frames", "key": b"cam", "value": b"x", "partition": 0, "offset": 7}
    return read_job(Record(**{**fields, **changes}), None)


async def test_a_producer_that_broke_down_is_replaced(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Producer(KafkaError("Unexpected error during batch delivery"), for_ever=True)
    sound = Producer()
    box = outbox(metrics, monkeypatch, broken, sound)
    await box.dead(job(), BadInput("slug", "why"))
    assert broken.stopped
    assert sound.taken == [("dead-letters", b"frames-0-7", b"x")]


async def test_a_right_that_is_not_there_yet_is_waited_for(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer(*[TopicAuthorizationFailedError("not yet")] * 9)
    box = outbox(metrics, monkeypatch, producer)
    await box.dead(job(), BadInput("slug", "why"))
    assert len(producer.taken) == 1
    assert not producer.stopped


async def test_a_header_that_the_client_cannot_carry(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer()
    box = outbox(metrics, monkeypatch, producer)
    await box.dead(job(headers=(("\udcff", b"1"),)), BadInput("slug", "why"))
    assert producer.taken == [("dead-letters", b"frames-0-7", b"x")]


async def test_whatever_a_record_lacks_the_worker_goes_on(metrics: Metrics) -> None:
    async with bench(metrics) as b:
        odd = [
            Record("frames", None, None, (), 0, 0, 0),
            Record("frames", None, None, (("ce_id", b""), ("background", b"")), 0, 1, 0),
            Record("frames", b"\xff\xfe", IMAGE, (), 0, 2, 0),
            Record("frames", b"\xff\xfe", None, (("ce_source", b"\xff"),), 0, 3, -1),
            Record("frames", b"", b"", (("", b""), ("dead_key", b"x")), 0, 4, -(2**63)),
        ]
        for record in odd:
            await b.pipeline.submit(record, lambda r=record: b.settled.append(r.offset))  # type: ignore[misc]
        await b.submit(5)
        await b.drained()
        assert sorted(b.settled) == list(range(6))
        letters = [r for r in b.broker.records if r.header("dead_reason")]
        assert {r.key for r in letters} == {f"frames-0-{offset}".encode() for offset in range(5)}
        assert all(r.value is not None for r in letters)
        assert {r.header("dead_reason") for r in letters if r.key == b"frames-0-2"} == {
            "bad_source"
        }


async def test_an_embedding_that_cannot_be_written_is_a_dead_letter(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("workers.service.job.Image.embedding", fail)
    async with bench(metrics) as b:
        await b.submit(0)
        await b.drained()
        assert b.dead == {"f-0": ("produce", "produce_failed")}
