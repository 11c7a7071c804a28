"""The streams end when they are asked to, whatever is down; what ends unasked is a crash."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from infra.admin import create_topics
from infra.embedded import EmbeddedRedis, Services
from schemas.errors import Crashed
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings, load_settings
from streams.app import run
from streams.faithful import FaithfulConsumer
from streams.stage import Stage
from tests.services.kafka import collecting, embedding, embedding_records, eventually, put
from tests.services.own import own_services
from tests.services.processes import Process, process
from tests.services.test_stream_faults import OUTCOMES, PLACES, outcomes

MOST_S = 15.0
left_behind = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The process of a crashed service ends, and with it what Faust leaves behind; this one goes on."""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Services]:
    with own_services(tmp_path) as started:
        yield started


@pytest.fixture
def own_settings(own: Services) -> Settings:
    settings = load_settings(
        kafka_bootstrap_servers=own.kafka, redis_url=own.redis, streams_port=0, redis_timeout_s=0.5
    )
    create_topics(settings)
    return settings


async def ask(settings: Settings, *names: str) -> set[str]:
    """Publish a probe for each name."""
    await put(settings, embedding_records(settings, [embedding(n, PLACES[0]) for n in names]))
    return set(names)


def redis_of(own: Services) -> EmbeddedRedis:
    assert own.redis_server is not None
    return own.redis_server


def ends(service: Process) -> int:
    """Ask it to end and return its exit status; it may take as long as is promised."""
    service.ask(signal.SIGTERM)
    return service.wait(MOST_S)


@pytest.mark.parametrize("fault", ["stop", "pause"])
async def test_it_ends_while_redis_is_down_and_what_waited_is_read_again(
    own: Services, own_settings: Settings, tmp_path: Path, fault: str
) -> None:
    async with collecting(own_settings, *OUTCOMES) as found:
        with process(own_settings, tmp_path / "streams.log", "streams") as first:
            sent = await ask(own_settings, "before")
            await eventually(lambda: outcomes(own_settings, found) >= sent, "it is at work")
            getattr(redis_of(own), fault)()
            waiting = [f"waiting-{i:03}" for i in range(100)]
            sent |= await ask(own_settings, *waiting)
            log = tmp_path / "streams.log"
            await eventually(lambda: "matcher: waiting" in log.read_text(), "it is held up")
            assert ends(first) == 0
        redis_of(own).resume() if fault == "pause" else redis_of(own).start()
        with process(own_settings, tmp_path / "streams.log", "streams"):
            await eventually(lambda: outcomes(own_settings, found) >= sent, "nothing is lost")


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_it_ends_while_the_broker_is_gone(
    own: Services, own_settings: Settings, tmp_path: Path, fault: str
) -> None:
    assert own.broker is not None
    with process(own_settings, tmp_path / "streams.log", "streams") as service:
        async with collecting(own_settings, *OUTCOMES) as found:
            sent = await ask(own_settings, *(f"probe-{i:03}" for i in range(100)))
            await eventually(lambda: outcomes(own_settings, found) >= sent, "it is at work")
            redis_of(own).stop()
            await ask(own_settings, *(f"waiting-{i:03}" for i in range(100)))
        getattr(own.broker, fault)()
        ends(service)


async def test_it_ends_before_it_has_found_a_broker(tmp_path: Path) -> None:
    nowhere = load_settings(
        kafka_bootstrap_servers="127.0.0.1:9", redis_url="redis://127.0.0.1:9/0", streams_port=0
    )
    log = tmp_path / "streams.log"
    with process(nowhere, log, "streams") as service:
        await eventually(lambda: "/healthz" in log.read_text(), "it serves its pages")
        assert ends(service) == 0


@asynccontextmanager
async def crashing(
    settings: Settings, metrics: Metrics, health: Health
) -> AsyncIterator[Callable[[], Any]]:
    """Run the streams; what is yielded awaits their crash."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(run(settings, metrics, health, stop))

    async def crash() -> None:
        with pytest.raises(Crashed):
            await asyncio.wait_for(running, 60)

    try:
        yield crash
    finally:
        stop.set()
        await asyncio.wait([running])


@left_behind
async def test_an_agent_that_ends_is_a_crash(
    settings: Settings, metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(_: Stage, __: Sequence[Record]) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(Stage, "process", cancelled)
    async with crashing(settings, metrics, health) as crash:
        await ask(settings, "probe")
        await crash()


@left_behind
async def test_a_consumer_that_cannot_read_is_a_crash(
    settings: Settings, metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory, say")

    async with crashing(settings, metrics, health) as crash:
        await eventually(lambda: health.ready, "it works")
        monkeypatch.setattr(FaithfulConsumer, "_getmany", broken)
        await crash()


@left_behind
async def test_a_consumer_thread_that_ends_is_a_crash(
    settings: Settings, metrics: Metrics, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[AIOKafkaConsumerThread] = []
    start = AIOKafkaConsumerThread.on_start

    async def noted(self: AIOKafkaConsumerThread) -> None:
        threads.append(self)
        await start(self)

    monkeypatch.setattr(AIOKafkaConsumerThread, "on_start", noted)
    async with crashing(settings, metrics, health) as crash:
        await eventually(lambda: health.ready, "it works")
        loop = threads[0].thread_loop
        loop.call_soon_threadsafe(loop.stop)
        await crash()


async def test_it_needs_no_writable_working_directory_and_leaves_nothing_there(
    settings: Settings, tmp_path: Path
) -> None:
    """Faust makes folders for tables, which there are not."""
    here = tmp_path / "read-only"
    here.mkdir()
    here.chmod(0o500)
    async with collecting(settings, *OUTCOMES) as found:
        with process(settings, tmp_path / "streams.log", "streams", cwd=here):
            sent = await ask(settings, "probe")
            await eventually(lambda: outcomes(settings, found) >= sent, "it is at work")
    assert list(here.iterdir()) == []
