"""The streams commit what is done and no more, and notice when they stand still."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from prometheus_client import CollectorRegistry

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS
from streams.app import run
from streams.matcher import Matcher
from tests.services.kafka import collecting, eventually, running
from tests.services.test_stream_faults import OUTCOMES, load, outcomes


@asynccontextmanager
async def matching(settings: Settings) -> AsyncIterator[Health]:
    """Run a matcher beside the test."""
    metrics = Metrics(CollectorRegistry())
    health = Health(metrics)
    only = frozenset({"matcher", "gallery"})
    async with running(lambda stop: run(settings, metrics, health, stop, only)):
        await eventually(lambda: health.ready, "it is at work")
        yield health


async def test_streams_that_fetch_no_more_are_not_live(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust is known to stop fetching after rebalances."""
    fetch = AIOKafkaConsumerThread.getmany
    frozen = asyncio.Event()

    async def stuck(thread: AIOKafkaConsumerThread, *args: Any, **options: Any) -> Any:
        if frozen.is_set():
            await asyncio.Event().wait()
        return await fetch(thread, *args, **options)

    monkeypatch.setattr(AIOKafkaConsumerThread, "getmany", stuck)
    soon = settings.model_copy(update={"stalled_after_s": 3.0})
    async with matching(soon) as health, collecting(soon, *OUTCOMES) as found:
        sent = await load(soon, 20, rate=100)
        await eventually(lambda: outcomes(soon, found) >= sent, "it is at work")
        assert health.stall is None
        frozen.set()
        await load(soon, 200, rate=400, prefix="more")
        await eventually(lambda: health.stall is not None, "it says that it stands still")
        assert EMBEDDINGS.name in str(health.stall)


async def test_a_batch_that_never_ends_is_not_live_and_one_held_up_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(_: Matcher, __: Sequence[Record]) -> list[Record]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(Matcher, "handle", stuck)
    soon = settings.model_copy(update={"stalled_after_s": 3.0})
    async with matching(soon) as health:
        health.down("a part", "of which this test says that it is down")
        await load(soon, 20, rate=100)
        with pytest.raises(AssertionError, match="not within"):
            await eventually(lambda: health.stall is not None, "held up", within_s=6)
        health.up("a part")
        await eventually(lambda: health.stall is not None, "it says that it stands still")
