"""The streams commit what is done and no more, and notice when they stand still."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from prometheus_client import CollectorRegistry

from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS
from streams.app import run
from streams.index.eviction import EvictionGuard
from streams.kafka.producer import KafkaPublisher
from streams.matching.matcher import Matcher
from tests.services.kafka import collecting, eventually, running
from tests.services.test_stream_faults import OUTCOMES, load, outcomes


@asynccontextmanager
async def matching(settings: Settings) -> AsyncIterator[Health]:
    """Run a matcher beside the test."""
    metrics = Metrics(CollectorRegistry())
    health = Health(metrics)
    only = frozenset({"matcher", "gallery"})
    async with running(lambda stop: run(Runtime(settings, metrics, health), stop, only)):
        await eventually(lambda: health.ready, "it is at work")
        yield health


class Ledger:
    """What was published when, and what was committed when."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.published: set[str] = set()
        self.commits: list[tuple[dict[tuple[str, int], int], set[str]]] = []
        send, commit = KafkaPublisher.__call__, AIOKafkaConsumerThread.commit

        async def sent(client: KafkaPublisher, records: Sequence[Record]) -> list[int]:
            offsets = await send(client, records)
            self.published |= {str(record.header("ce_id")) for record in records}
            return offsets

        async def committed(thread: AIOKafkaConsumerThread, offsets: Mapping[Any, int]) -> bool:
            told = {(place.topic, place.partition): at for place, at in offsets.items()}
            self.commits.append((told, set(self.published)))
            return await commit(thread, offsets)

        monkeypatch.setattr(KafkaPublisher, "__call__", sent)
        monkeypatch.setattr(AIOKafkaConsumerThread, "commit", committed)

    def passed_over(self, probes: Sequence[Record]) -> list[str]:
        """Return the probes whose offset was committed before they had an outcome."""
        return [
            f"{record.header('ce_id')} at {record.position}, committed {at}"
            for offsets, published in self.commits
            for (topic, partition), at in offsets.items()
            for record in probes
            if (record.topic, record.partition) == (topic, partition)
            and record.offset < at
            and record.header("ce_id") not in published
        ]


async def test_no_commit_passes_a_probe_without_outcome_whatever_rebalances(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second instance joins and leaves while batches are under way, some of them long."""
    ledger = Ledger(monkeypatch)
    handle = Matcher.handle
    turn, count = itertools.count(), 600

    async def slow(self: Matcher, records: Sequence[Record]) -> list[Record]:
        await asyncio.sleep(5 if next(turn) % 40 == 20 else 0.03)
        return await handle(self, records)

    async def beyond(least: int) -> None:
        await eventually(lambda: len(outcomes(settings, found)) > least, f"more than {least}")

    monkeypatch.setattr(Matcher, "handle", slow)
    async with collecting(settings, *OUTCOMES) as found, collecting(settings, EMBEDDINGS) as probes:
        async with matching(settings):
            loading = asyncio.create_task(load(settings, count, rate=50))
            for least in (30, 150, 300):
                await beyond(least)
                async with matching(settings):
                    # On a busy machine all may be answered before the last one has joined.
                    await beyond(min(len(outcomes(settings, found)) + 50, count - 1))
            sent = await loading
            await eventually(
                lambda: outcomes(settings, found) >= sent, "nothing is lost", within_s=120
            )
        await eventually(lambda: len(probes) >= len(sent), "all probes are known")
    assert ledger.passed_over(probes) == []


async def test_a_timer_that_loses_a_cancellation_ends_with_its_app(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Python 3.12 a cancelled command of Redis may go on as if nothing had been."""
    lost: list[bool] = []

    async def losing(_: EvictionGuard) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if lost:
                raise
            lost.append(True)

    monkeypatch.setattr(EvictionGuard, "check", losing)
    async with matching(settings):
        pass
    assert lost
    left = [task for task in asyncio.all_tasks() if "_each_second" in repr(task.get_coro())]
    assert left == []


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
