"""What a cluster answers while it hands something over: asking again, a moment later, helps."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError

from schemas.errors import DependencyDown

T = TypeVar("T")

TIMEOUT_S = 5.0
ASK_EVERY_S = 0.05

# To librdkafka's administration these are errors like others, not marked as worth a repetition.
MOVING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.NOT_CONTROLLER,
    KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.NETWORK_EXCEPTION,
    KafkaError.KAFKA_STORAGE_ERROR,
}


class Moving(DependencyDown):
    """The broker is there and cannot answer yet: it has just started, or hands something over."""


def patiently(ask: Callable[[], T]) -> T:
    """Ask again while the broker hands over what is asked for, for as long as it may be silent."""
    give_up = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return ask()
        except Moving:
            if time.monotonic() > give_up:
                raise
            time.sleep(ASK_EVERY_S)
