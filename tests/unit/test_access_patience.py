"""Patience outlasts what passes, says so, and gives up at once on what does not."""

import pytest
from aiokafka import errors
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from access.patience import TOO_LARGE, Patience, is_passing
from schemas.errors import BadInput, DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import load_settings


class Work:
    """Fails as it was told to, then succeeds."""

    def __init__(self, health: Health, *failures: Exception) -> None:
        self.failures = list(failures)
        self.health = health
        self.seen: list[bool] = []

    async def __call__(self) -> str:
        self.seen.append(self.health.ready)
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def patience_of(metrics: Metrics, health: Health, max_wait_s: float = 5.0) -> Patience:
    return Patience(Runtime(load_settings(), metrics, health), max_wait_s)


def retries(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("perennial_retries_total", {"stage": "read"}) or 0


async def test_it_tries_until_it_succeeds(metrics: Metrics, health: Health) -> None:
    health.up("kafka")
    work = Work(health, KafkaConnectionError("refused"), DependencyDown("kafka", "no"))
    patience = patience_of(metrics, health, 0.001)
    assert await patience("read", work) == "done"
    assert work.seen == [True, False, False], "not ready between the attempts"
    assert health.ready
    assert retries(metrics) == 2


async def test_success_at_once_changes_nothing(metrics: Metrics, health: Health) -> None:
    health.down("kafka", "somebody else said so")
    assert await patience_of(metrics, health)("read", Work(health)) == "done"
    assert not health.ready
    assert retries(metrics) == 0


@pytest.mark.parametrize(
    "error", [MessageSizeTooLargeError("large"), BadInput("bad", "bad"), KeyError("bug")]
)
@pytest.mark.parametrize("after", [(), (KafkaConnectionError("refused"),)])
async def test_what_does_not_pass_is_raised(
    metrics: Metrics, health: Health, error: Exception, after: tuple[Exception, ...]
) -> None:
    patience = patience_of(metrics, health, 0.001)
    with pytest.raises(type(error)):
        await patience("read", Work(health, *after, error))
    assert retries(metrics) == len(after)


def test_every_kafka_error_is_waited_out_but_too_large() -> None:
    """Authorisation not yet there, time-outs, unknown errors: the operator or time mends them."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, KafkaError)
    ]
    assert len(kinds) > 80
    assert {kind for kind in kinds if not is_passing(Exception.__new__(kind))} == set(TOO_LARGE)
