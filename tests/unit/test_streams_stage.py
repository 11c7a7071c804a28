"""The stage: it returns when every record has its outputs or its dead letter, and never raises."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NoBrokersAvailable,
    TopicAuthorizationFailedError,
    UnknownError,
)

from schemas.errors import BadInput, DependencyDown, SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import load_settings
from streams.kafka.stage import ATTEMPTS, Handler, Publish, Stage
from tests.unit.stage_parts import Broker, Work, batch

REDIS_DOWN = DependencyDown("redis", "connection refused")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def make(broker: Broker, metrics: Metrics, health: Health) -> Callable[..., Stage]:
    def made(handler: Handler, publish: Publish = broker) -> Stage:
        return Stage("matcher", handler, publish, Runtime(load_settings(), metrics, health))

    return made


@pytest.fixture
def stage(make: Callable[..., Stage], work: Work, health: Health) -> Stage:
    for part in ("kafka", "redis"):
        health.up(part)
    return make(work)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make every wait last a moment; hold how long they would have been, in seconds."""
    asked: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        asked.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", nap)
    return asked


def count(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"perennial_{name}", labels)


async def test_outputs_are_published(stage: Stage, broker: Broker, metrics: Metrics) -> None:
    await stage.process(batch("a", "b"))
    assert broker.names("out") == ["a", "b"]
    assert broker.names("dead-letters") == []
    assert count(metrics, "batch_size_sum", stage="matcher") == 2
    assert count(metrics, "stage_seconds_count", stage="matcher") == 1


async def test_a_batch_without_outputs_publishes_nothing(
    make: Callable[..., Stage], broker: Broker
) -> None:
    async def silent(_: Sequence[Record]) -> list[Record]:
        return []

    broker.failures = [RuntimeError("asked to publish nothing")]
    await make(silent).process(batch("a"))
    assert len(broker.failures) == 1


async def test_it_does_not_return_until_the_dependency_is_back(
    make: Callable[..., Stage], broker: Broker, health: Health, work: Work
) -> None:
    back = asyncio.Event()

    async def handler(records: Sequence[Record]) -> list[Record]:
        if not back.is_set():
            work.calls.append([])
            raise REDIS_DOWN
        return await work(records)

    health.up("redis")
    processing = asyncio.create_task(make(handler).process(batch("a", "b")))
    while len(work.calls) < 50:
        await asyncio.sleep(0)
    assert not processing.done()
    assert broker.records == []
    assert health.report()["redis"] == "redis: connection refused"
    back.set()
    await processing
    assert broker.names("out") == ["a", "b"]
    assert health.report()["redis"] == "ok"


async def test_waits_grow_to_two_seconds_and_are_counted(
    stage: Stage, work: Work, waits: list[float], metrics: Metrics
) -> None:
    work.failures = [REDIS_DOWN] * 12
    await stage.process(batch("a"))
    assert len(waits) == 11, "the second attempt comes at once"
    assert waits[0] < 0.2
    assert waits[5] > waits[0]
    assert 1.9 <= waits[-1] <= 2.2
    assert count(metrics, "retries_total", stage="matcher") == 12


async def test_kafka_that_does_not_answer_the_handler_is_waited_for(
    stage: Stage, work: Work, broker: Broker, health: Health
) -> None:
    work.failures = [KafkaConnectionError("no broker")] * 4
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]
    assert health.ready


async def test_a_publish_that_failed_is_repeated_with_its_batch(
    stage: Stage, work: Work, broker: Broker, health: Health
) -> None:
    broker.failures = [KafkaConnectionError("no broker")] * 2
    await stage.process(batch("a", "b"))
    assert work.calls == [["a", "b"]] * 3
    assert broker.names("out") == ["a", "b"]
    assert health.ready


async def test_one_bad_record_is_set_aside_and_its_batch_goes_on(
    stage: Stage, work: Work, broker: Broker, metrics: Metrics
) -> None:
    work.bad["b"] = BadInput("bad_vector", "norm 7; expected 1")
    await stage.process(batch("a", "b", "c"))
    assert broker.names("out") == ["a", "c"]
    (dead,) = [record for record in broker.records if record.topic == "dead-letters"]
    assert dead.value == b"b"
    told = {name: dead.header(f"dead_{name}") for name in ("offset", "stage", "reason", "attempts")}
    assert told == {"offset": "1", "stage": "matcher", "reason": "bad_vector", "attempts": "1"}
    labels = {"outcome": "dead", "cluster": "", "reason": "bad_vector"}
    assert count(metrics, "outcomes_total", **labels) == 1


async def test_what_could_not_be_read_is_set_aside_without_its_handler(
    stage: Stage, work: Work, broker: Broker
) -> None:
    problem = BadInput("bad_header_name", "b'\\xe9' is not UTF-8")
    good, bad = batch("a", "b")
    await stage.process([good, replace(bad, problem=problem)])
    await stage.process([replace(bad, problem=problem)])
    assert work.calls == [["a"]]
    assert broker.names("dead-letters") == ["b", "b"]
    assert {r.header("dead_reason") for r in broker.records if r.topic == "dead-letters"} == {
        "bad_header_name"
    }


async def test_bad_input_is_not_tried_again(stage: Stage, work: Work) -> None:
    work.bad["a"] = BadInput("bad_event", "no JSON")
    await stage.process(batch("a"))
    assert work.calls == [["a"]]


async def test_an_unforeseen_error_is_tried_again_then_set_aside(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.bad["a"] = ZeroDivisionError("by zero")
    await stage.process(batch("a"))
    assert work.calls == [["a"]] * ATTEMPTS
    (dead,) = broker.records
    assert dead.header("dead_reason") == "internal_error"
    assert dead.header("dead_error") == "ZeroDivisionError: by zero"
    assert dead.header("dead_attempts") == str(ATTEMPTS)


async def test_an_unforeseen_error_that_passes_is_forgotten(
    stage: Stage, work: Work, broker: Broker, health: Health
) -> None:
    work.failures = [ZeroDivisionError()] * (ATTEMPTS - 1)
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]
    assert broker.names("dead-letters") == []
    assert health.ready


async def test_one_that_crashes_its_handler_does_not_take_the_batch_along(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.bad["b"] = ZeroDivisionError()
    await stage.process(batch("a", "b", "c"))
    assert broker.names("out") == ["a", "c"]
    assert broker.names("dead-letters") == ["b"]


async def test_what_turns_out_to_be_bad_input_gets_its_own_reason(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.failures = [ZeroDivisionError()]
    work.bad["a"] = BadInput("bad_vector", "norm 7")
    await stage.process(batch("a"))
    assert broker.records[0].header("dead_reason") == "bad_vector"


async def test_an_outage_does_not_count_as_an_attempt(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.failures = [ZeroDivisionError(), *[REDIS_DOWN] * 9, ZeroDivisionError()]
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]


async def test_outputs_that_kafka_will_never_take_become_dead_letters(
    make: Callable[..., Stage], work: Work, broker: Broker
) -> None:
    """One output too large to be published: the others of its batch still are."""

    async def publish(records: Sequence[Record]) -> list[int]:
        if any(record.topic == "out" and record.value == b"huge" for record in records):
            raise MessageSizeTooLargeError
        return await broker(records)

    await make(work, publish).process(batch("a", "huge", "c"))
    assert broker.names("out") == ["a", "c"]
    assert broker.names("dead-letters") == ["huge"]
    (dead,) = [record for record in broker.records if record.topic == "dead-letters"]
    assert "MessageSizeTooLarge" in str(dead.header("dead_error"))


async def test_a_dead_letter_waits_for_the_broker(
    stage: Stage, work: Work, broker: Broker, waits: list[float]
) -> None:
    work.bad["a"] = BadInput("bad_event", "no JSON")
    broker.failures = [KafkaConnectionError("no broker")] * 5
    await stage.process(batch("a"))
    assert broker.names("dead-letters") == ["a"]
    assert len(waits) == 4


@pytest.mark.parametrize("refusal", [MessageSizeTooLargeError, TopicAuthorizationFailedError])
async def test_a_dead_letter_that_is_refused_does_not_raise_into_faust(
    stage: Stage, work: Work, broker: Broker, refusal: type[Exception]
) -> None:
    """If the stage raises, the agent is stuck or its batch is counted as done."""
    work.bad["a"] = BadInput("bad_event", "no JSON")
    broker.failures = [refusal()]
    await stage.process(batch("a"))
    assert broker.names("dead-letters") == ["a"]


async def test_a_poisoned_record_does_not_leave_the_service_unready(
    stage: Stage, work: Work, health: Health
) -> None:
    work.bad["a"] = ZeroDivisionError()
    await stage.process(batch("a"))
    assert health.ready, health.report()


async def test_an_outage_that_ended_with_a_bad_record_is_over(
    stage: Stage, work: Work, health: Health
) -> None:
    work.failures = [DependencyDown("gallery", "empty")] * 2
    work.bad["a"] = BadInput("bad_vector", "norm 7")
    await stage.process(batch("a"))
    assert health.ready, health.report()


async def test_an_outage_that_ended_with_a_dead_letter_is_over(
    stage: Stage, work: Work, broker: Broker, health: Health
) -> None:
    work.bad["a"] = BadInput("bad_vector", "norm 7")
    broker.failures = [KafkaConnectionError("no broker")] * 2
    await stage.process(batch("a"))
    assert health.ready, health.report()


async def test_being_stopped_is_no_failure(
    stage: Stage, work: Work, broker: Broker, waits: list[float]
) -> None:
    work.failures = [REDIS_DOWN] * 1_000_000
    processing = asyncio.create_task(stage.process(batch("a")))
    while len(waits) < 5:
        await asyncio.sleep(0)
    processing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await processing
    assert broker.records == []


@pytest.mark.parametrize(
    "error",
    [KafkaTimeoutError(), TopicAuthorizationFailedError(), UnknownError(), NoBrokersAvailable()],
    ids=lambda error: type(error).__name__,
)
async def test_every_error_of_kafka_but_too_large_is_waited_out(
    stage: Stage, broker: Broker, error: Exception
) -> None:
    """Some are not called retriable: good frames and people's answers died of them."""
    broker.failures = [error] * 9
    await stage.process(batch("a", "b"))
    assert broker.names("out") == ["a", "b"]
    assert broker.names("dead-letters") == []


@pytest.mark.parametrize("takes", [2**20 + 2**16, 100])
async def test_a_dead_letter_too_large_for_its_topic_is_cut(
    make: Callable[..., Stage], work: Work, broker: Broker, takes: int
) -> None:
    async def publish(records: Sequence[Record]) -> list[int]:
        if any(len(record.value or b"") > takes for record in records):
            raise MessageSizeTooLargeError
        return await broker(records)

    work.bad["a"] = BadInput("bad_event", "no JSON")
    (small,) = batch("a")
    await make(work, publish).process([replace(small, value=b"x" * 3 * 2**20)])
    (dead,) = broker.records
    assert len(dead.value or b"") <= takes
    assert dead.header("dead_truncated") == str(3 * 2**20)
    assert dead.header("ce_id") == "a"


async def test_null_key_and_value_end_as_a_dead_letter(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.bad["a"] = BadInput("bad_event", "empty")
    (small,) = batch("a")
    await stage.process([replace(small, key=None, value=None)])
    (dead,) = broker.records
    assert (dead.key, dead.value) == (b"in-0-0", b"")


async def test_a_record_that_makes_no_dead_letter_still_makes_one(
    stage: Stage, work: Work, broker: Broker
) -> None:
    hostile: Any = (("ce_id", b"a"), ("x", None), (None, b"y"))
    work.bad["a"] = BadInput("bad_event", "no JSON")
    (small,) = batch("a")
    await stage.process([replace(small, headers=hostile)])
    (dead,) = broker.records
    assert dead.header("dead_offset") == "0"
    assert "left out" in str(dead.header("dead_error"))


async def test_a_dead_letter_is_tried_until_it_is_taken_whatever_is_raised(
    stage: Stage, work: Work, broker: Broker
) -> None:
    """A null key on a compacted topic raised an AssertionError; offsets passed the whole batch."""
    work.bad["a"] = BadInput("bad_event", "no JSON")
    broker.failures = [AssertionError("key or value"), TypeError(), ZeroDivisionError()]
    await stage.process(batch("a"))
    assert broker.names("dead-letters") == ["a"]


async def test_what_only_the_operator_can_mend_is_waited_out(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.failures = [SetupError("the gallery was written by another version")] * 5
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]
