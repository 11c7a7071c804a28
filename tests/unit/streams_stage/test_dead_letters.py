"""What cannot be processed is set aside, and its batch goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from schemas.errors import BadInput
from schemas.metrics import Metrics
from schemas.records import Record
from streams.kafka.stage import ATTEMPTS, Stage
from tests.unit.streams_stage.parts import Broker, Work, batch, count


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
