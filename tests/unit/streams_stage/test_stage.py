"""The stage: it returns when every record has its outputs or its dead letter, and never raises."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NoBrokersAvailable,
    TopicAuthorizationFailedError,
    UnknownError,
)

from schemas.errors import BadInput, DependencyDown, SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from streams.kafka.stage import ATTEMPTS, Stage
from tests.unit.streams_stage.parts import REDIS_DOWN, Broker, Work, batch, count


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


async def test_an_unforeseen_error_that_passes_is_forgotten(
    stage: Stage, work: Work, broker: Broker, health: Health
) -> None:
    work.failures = [ZeroDivisionError()] * (ATTEMPTS - 1)
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]
    assert broker.names("dead-letters") == []
    assert health.ready


async def test_an_outage_does_not_count_as_an_attempt(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.failures = [ZeroDivisionError(), *[REDIS_DOWN] * 9, ZeroDivisionError()]
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]


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


async def test_what_only_the_operator_can_mend_is_waited_out(
    stage: Stage, work: Work, broker: Broker
) -> None:
    work.failures = [SetupError("the gallery was written by another version")] * 5
    await stage.process(batch("a"))
    assert broker.names("out") == ["a"]
