"""Conservation of the streams under faults: raise, kill, stop and freeze; then count what is lost.

Each test has servers of its own, since it breaks them.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from client.admin import create_topics
from infra.local.embedded import EmbeddedRedis, Services
from schemas.gallery import GalleryCommand
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings, load_settings
from schemas.topics import (
    DEAD_LETTERS,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
)
from streams.app import run
from streams.matching.matcher import Matcher
from tests.gallery_entries import MODEL, enrol
from tests.services.kafka import (
    collecting,
    embedding,
    embedding_records,
    eventually,
    indexed,
    put,
    putting,
    running,
)
from tests.services.own import own_services
from tests.services.processes import process

OUTCOMES = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
# Nearly orthogonal, at slightly different distances from each other.
PLACES = np.eye(16, dtype=np.float32)[:12] + np.linspace(0, 0.1, 12, dtype=np.float32)[:, None]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Services]:
    """A broker and a Redis for one test alone."""
    with own_services(tmp_path) as started:
        yield started


@pytest.fixture
def own_settings(own: Services) -> Settings:
    """Settings on the test's own servers; the topics exist."""
    settings = load_settings(
        kafka_bootstrap_servers=own.kafka, redis_url=own.redis, streams_port=0, redis_timeout_s=0.5
    )
    create_topics(settings)
    return settings


async def teach(settings: Settings) -> None:
    """Enrol each place once and wait until the index holds them."""
    commands: list[GalleryCommand] = [
        enrol(f"taught-{i}", f"place-{i}", place) for i, place in enumerate(PLACES)
    ]
    topic = settings.topic(GALLERY_COMMANDS)
    await put(settings, [command.record(topic) for command in commands])
    await indexed(settings, len(PLACES))


async def load(settings: Settings, count: int, rate: float, prefix: str = "probe") -> set[str]:
    """Publish probes of the taught places evenly; return their ids."""
    ids = [f"{prefix}-{i:04}" for i in range(count)]
    async with putting(settings) as put_all:
        for start in range(0, count, 10):
            batch = [
                embedding(i, PLACES[int(i[-4:]) % 12] + 0.01, model=MODEL)
                for i in ids[start : start + 10]
            ]
            await put_all(embedding_records(settings, batch))
            await asyncio.sleep(10 / rate)
    return set(ids)


def ids_on(found: Sequence[Record], *topics: str) -> list[str]:
    return [str(record.header("ce_id")) for record in found if record.topic in topics]


def outcomes(settings: Settings, found: Sequence[Record]) -> set[str]:
    return set(ids_on(found, *(settings.topic(topic) for topic in OUTCOMES)))


def identified(settings: Settings, found: Sequence[Record]) -> set[str]:
    return set(ids_on(found, settings.topic(IDENTIFICATIONS)))


@asynccontextmanager
async def in_process(settings: Settings, metrics: Metrics, health: Health) -> AsyncIterator[None]:
    async with running(lambda stop: run(Runtime(settings, metrics, health), stop)):
        yield


async def test_a_handler_that_raises_loses_nothing_and_does_not_stick(
    settings: Settings, metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust alone would count a batch that raised as done, or leave its agent stuck."""
    handle = Matcher.handle
    calls = itertools.count()

    async def failing(self: Matcher, records: Sequence[Record]) -> list[Record]:
        if any(record.header("ce_id") == "probe-0007" for record in records):
            raise RuntimeError("poison")
        if next(calls) in (0, 2, 5, 9):
            raise ValueError("now and then")
        return await handle(self, records)

    monkeypatch.setattr(Matcher, "handle", failing)
    async with (
        in_process(settings, metrics, health),
        collecting(settings, *OUTCOMES) as found,
    ):
        await teach(settings)
        sent = await load(settings, 120, rate=400)
        await eventually(lambda: outcomes(settings, found) >= sent, "each probe has an outcome")
        sent |= await load(settings, 30, rate=400, prefix="after")
        await eventually(lambda: outcomes(settings, found) >= sent, "the agent goes on afterwards")
    dead = [r for r in found if r.topic == settings.topic(DEAD_LETTERS)]
    assert [(r.header("ce_id"), r.header("dead_reason")) for r in dead] == [
        ("probe-0007", "internal_error")
    ]
    assert "poison" in str(dead[0].header("dead_error"))
    assert dead[0].header("dead_attempts") == "3"
    assert len(dead[0].value or b"") == 16 * 4
    assert identified(settings, found) == sent - {"probe-0007"}


async def test_a_killed_matcher_loses_nothing(own_settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "streams.log"
    async with collecting(own_settings, *OUTCOMES) as found:
        with process(own_settings, log, "streams") as first:
            await teach(own_settings)
            loading = asyncio.create_task(load(own_settings, 400, rate=100))
            await eventually(lambda: len(outcomes(own_settings, found)) > 60, "it is at work")
            first.kill()
        with process(own_settings, log, "streams") as second:
            sent = await loading
            await eventually(lambda: outcomes(own_settings, found) >= sent, "nothing is lost")
            assert second.alive
    assert identified(own_settings, found) == sent


async def test_redis_that_stops_for_a_while_and_comes_back_empty_loses_nothing(
    own: Services, own_settings: Settings, metrics: Metrics, health: Health
) -> None:
    redis = own.redis_server
    assert isinstance(redis, EmbeddedRedis)
    async with (
        in_process(own_settings, metrics, health),
        collecting(own_settings, *OUTCOMES) as found,
    ):
        await teach(own_settings)
        loading = asyncio.create_task(load(own_settings, 600, rate=30))
        await eventually(lambda: len(outcomes(own_settings, found)) > 30, "it is at work")
        redis.stop()
        await eventually(lambda: not health.ready, "it says that Redis is down")
        await asyncio.sleep(8)
        held_up = len(outcomes(own_settings, found))
        redis.start()
        sent = await loading
        await eventually(lambda: outcomes(own_settings, found) >= sent, "nothing is lost")
        await eventually(lambda: health.ready, "it says that all is well again")
    assert held_up < len(sent)
    assert identified(own_settings, found) == sent, "an outage must not look like 'unknown'"


async def test_a_broker_that_is_silent_for_a_while_loses_nothing(
    own: Services, own_settings: Settings, metrics: Metrics, health: Health
) -> None:
    broker = own.broker
    assert broker is not None
    async with (
        in_process(own_settings, metrics, health),
        collecting(own_settings, *OUTCOMES) as found,
    ):
        await teach(own_settings)
        loading = asyncio.create_task(load(own_settings, 300, rate=60))
        await eventually(lambda: len(outcomes(own_settings, found)) > 30, "it is at work")
        broker.pause()
        await asyncio.sleep(8)  # longer than a group's session
        broker.resume()
        sent = await loading
        await eventually(
            lambda: outcomes(own_settings, found) >= sent, "nothing is lost", within_s=120
        )
        sent |= await load(own_settings, 30, rate=60, prefix="after")
        await eventually(lambda: outcomes(own_settings, found) >= sent, "it goes on by itself")
    assert identified(own_settings, found) == sent


async def test_bad_records_on_our_own_topics_are_set_aside(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    bad = [
        Record(settings.topic(topic), b"k", value, (("ce_id", b"bad"),))
        for topic in (GALLERY_COMMANDS,)
        for value in (b"", b"{", b"[]", b'{"schema_version":9}', b"\xff\xfe", None)
    ]
    async with (
        in_process(settings, metrics, health),
        collecting(settings, *OUTCOMES) as found,
    ):
        await put(settings, bad)
        await teach(settings)
        dead = settings.topic(DEAD_LETTERS)
        await eventually(lambda: len(ids_on(found, dead)) == len(bad), "each lies in dead-letters")
    # They lie on several partitions, which are read in any order.
    letters = sorted(
        (r for r in found if r.topic == dead), key=lambda r: int(str(r.header("dead_offset")))
    )
    assert {r.header("dead_reason") for r in letters} == {"bad_event"}
    assert [r.value for r in letters] == [r.value or b"" for r in bad]
