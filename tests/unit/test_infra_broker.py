"""What the administration's errors become: wait, or change something."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from client.broker import Broker
from client.moving import Moving
from schemas.errors import DependencyDown, NotAllowed, SetupError
from schemas.settings import load_settings

PLACE = ("frames", 0)


def answered(code: int | None) -> "Future[Any]":
    future: Future[Any] = Future()
    if code is None:
        future.set_result(type("Offset", (), {"offset": 7})())
    else:
        future.set_exception(KafkaException(KafkaError(code)))
    return future


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Broker]:
    def broker(*codes: int | None) -> Broker:
        answers = list(codes)
        made = Broker(load_settings(kafka_bootstrap_servers="127.0.0.1:1"))
        monkeypatch.setattr(
            made, "_asked", lambda *_: {PLACE: answered(answers.pop(0) if answers else None)}
        )
        return made

    return broker


def test_what_is_handed_over_is_asked_for_again(asked: Callable[..., Broker]) -> None:
    broker = asked(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    assert broker.spans({"frames": [0]}) == {PLACE: (7, 7)}


def test_what_stays_so_is_a_dependency_that_is_down(
    asked: Callable[..., Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.moving.TIMEOUT_S", -1.0)
    with pytest.raises(Moving, match="cannot answer just now") as raised:
        asked(KafkaError.NOT_LEADER_FOR_PARTITION).spans({"frames": [0]})
    assert isinstance(raised.value, DependencyDown)


def test_a_refusal_is_for_the_operator(asked: Callable[..., Broker]) -> None:
    with pytest.raises(SetupError, match="refuses"):
        asked(KafkaError.POLICY_VIOLATION).spans({"frames": [0]})


def test_a_missing_right_is_waited_for(asked: Callable[..., Broker]) -> None:
    with pytest.raises(NotAllowed, match="user ANONYMOUS lacks"):
        asked(KafkaError.TOPIC_AUTHORIZATION_FAILED).spans({"frames": [0]})


def test_an_answer_that_never_comes_is_none(
    asked: Callable[..., Broker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Librdkafka may wait for a minute where the broker is there and silent: a paused one, say."""
    monkeypatch.setattr("client.broker.TIMEOUT_S", 0.01)
    broker = asked()
    for ask in (broker.awaited, broker._result, lambda future: broker._created(future, "frames")):
        with pytest.raises(DependencyDown, match=r"no answer from 127\.0\.0\.1:1 \(none in"):
            ask(Future())
