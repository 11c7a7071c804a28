"""A stage with a broker and a handler that fail as they are told to."""

import asyncio
from collections.abc import Callable

import pytest

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import load_settings
from streams.kafka.stage import Handler, Publish, Stage
from tests.unit.streams_stage.parts import Broker, Work


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
