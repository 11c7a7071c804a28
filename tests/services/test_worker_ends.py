"""A worker that is asked to end does so within 15 s, whatever is down, and loses nothing."""

import asyncio
import signal
from pathlib import Path

import pytest

from infra.local.embedded import Services
from infra.local.local_server import LocalBroker
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS
from tests.image_store import ImageStore
from tests.services.kafka import collecting, eventually, put
from tests.services.processes import Process, process
from tests.services.test_worker import IMAGES, all_of, frame, ids

WITHIN_S = 15.0


async def ended(worker: Process) -> int:
    """Ask it to end and return its exit status; it may take as long as is promised."""
    worker.ask(signal.SIGTERM)
    return await asyncio.to_thread(worker.ended, WITHIN_S)


def claims(settings: Settings, store: ImageStore, first: int, count: int) -> list[Record]:
    kind = ("content-type", b"application/json")
    return [frame(settings, n, store.claim(f"ok/{n}"), kind) for n in range(first, first + count)]


@pytest.fixture
def own_broker(stack_services: Services) -> LocalBroker:
    if stack_services.broker is None:
        pytest.skip("this test stops the broker's answers: it needs one that we started")
    return stack_services.broker


async def test_with_work_waiting_and_the_broker_silent(
    settings: Settings, own_broker: LocalBroker, tmp_path: Path
) -> None:
    count = 600
    async with collecting(settings, EMBEDDINGS) as found:
        first = Process(settings, tmp_path / "worker.log", "worker")
        await put(settings, [frame(settings, number) for number in range(count)])
        await eventually(lambda: len(found) > 30, "it is at work", within_s=120)
        own_broker.pause()
        try:
            await ended(first)
        finally:
            own_broker.resume()
        second = Process(settings, tmp_path / "worker.log", "worker")
        try:
            await eventually(lambda: set(ids(found)) == all_of(count), "0 lost", within_s=120)
        finally:
            second.stop()


async def test_with_a_store_hanging(settings: Settings, tmp_path: Path) -> None:
    async with ImageStore(IMAGES[0]) as store, collecting(settings, EMBEDDINGS) as found:
        own = settings.model_copy(update={"image_uri_allow": (store.url,)})
        store.state = "hanging"
        first = Process(own, tmp_path / "worker.log", "worker")
        await put(own, claims(own, store, 0, 40) + [frame(own, n) for n in range(40, 60)])
        await eventually(lambda: len(ids(found)) == 20, "frames with bytes pass", within_s=120)
        assert await ended(first) == 0
        store.state = "well"
        second = Process(own, tmp_path / "worker.log", "worker")
        try:
            await eventually(lambda: set(ids(found)) == all_of(60), "0 lost", within_s=120)
        finally:
            second.stop()


async def test_where_no_broker_is(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    log = tmp_path / "worker.log"
    with process(nowhere, log, "worker") as worker:
        await eventually(lambda: b"waiting: kafka" in log.read_bytes(), "it tries", within_s=120)
        await ended(worker)
