import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from client.service_pages import parse
from infra.serve import pages, serve
from schemas.errors import Crashed, DependencyDown, SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import load_settings

pytestmark = pytest.mark.counted


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_pages_tell_how_a_service_is(browser: aiohttp.ClientSession) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    health = Health(metrics)
    async with pages("worker", "127.0.0.1", 0, registry, health) as address:
        async with browser.get(f"{address}/healthz") as answer:
            assert answer.status == 200
        async with browser.get(f"{address}/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"worker": "starting"})
        health.up("model")
        health.down("kafka", "no broker")
        async with browser.get(f"{address}/readyz") as answer:
            expected = {"model": "ok", "kafka": "no broker"}
            assert (answer.status, await answer.json()) == (503, expected)
        health.up("kafka")
        async with browser.get(f"{address}/readyz") as answer:
            assert answer.status == 200
        metrics.frames.inc(3)
        async with browser.get(f"{address}/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            readings = parse(await answer.text())
        assert readings.total("perennial_frames_total") == 3
        assert readings.total("perennial_dependency_up", dependency="kafka") == 1


async def test_a_taken_port_is_named_with_its_setting() -> None:
    registry = CollectorRegistry()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"127\.0\.0\.1:{port}.*PERENNIAL_STREAMS_PORT"):
            async with pages("streams", "127.0.0.1", port, registry, Health(Metrics(registry))):
                pytest.fail("it listened")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_the_service_to_stop(number: signal.Signals) -> None:
    steps = []

    async def run(_: Runtime, stop: asyncio.Event) -> None:
        steps.append("started")
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
        await stop.wait()
        steps.append("cleaned up")

    serve("worker", 0, load_settings(), run)
    assert steps == ["started", "cleaned up"]


def test_a_second_signal_insists() -> None:
    async def run(_: Runtime, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()  # never ends by itself

    serve("worker", 0, load_settings(), run)


def test_what_a_service_raises_is_raised() -> None:
    async def run(_: Runtime, __: asyncio.Event) -> None:
        raise DependencyDown("kafka", "gone for good")

    with pytest.raises(DependencyDown, match="gone for good"):
        serve("worker", 0, load_settings(), run)


def test_a_service_that_is_cancelled_from_within_has_crashed() -> None:
    async def run(_: Runtime, __: asyncio.Event) -> None:
        raise asyncio.CancelledError

    with pytest.raises(Crashed, match="cancelled"):
        serve("worker", 0, load_settings(), run)


def test_a_service_that_ends_unasked_has_crashed() -> None:
    async def run(_: Runtime, __: asyncio.Event) -> None:
        return

    with pytest.raises(Crashed, match="ended"):
        serve("worker", 0, load_settings(), run)


_CORPSE = """
import asyncio, os, signal, threading, time
import infra.serve as serving
from schemas.settings import load_settings

serving.END_WITHIN_S = 0.5

async def run(runtime, stop):
    {}

serving.serve("worker", 0, load_settings(), run)
"""
_FOREVER = "threading.Thread(target=threading.Event().wait).start()"
_ASK = "os.kill(os.getpid(), signal.SIGTERM); await stop.wait()"


@pytest.mark.parametrize(
    "work",
    [
        f"{_ASK}; time.sleep(600)",
        f"{_ASK}; await asyncio.Event().wait()",
        f"{_FOREVER}; {_ASK}",
        f"{_FOREVER}; raise ValueError",
    ],
    ids=["stuck loop", "stuck service", "stuck thread", "crash beside a stuck thread"],
)
def test_a_process_that_cannot_end_by_itself_is_cut_off(work: str) -> None:
    ended = subprocess.run([sys.executable, "-c", _CORPSE.format(work)], timeout=60, check=False)
    assert ended.returncode == 1
