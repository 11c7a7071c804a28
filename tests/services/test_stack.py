"""The whole stack as child processes: it becomes ready, heals itself and leaves nothing behind."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from client.names import Outgoing
from client.pictures import picture_of
from client.publish import publish
from client.reviews import open_items
from client.service_pages import readings, waiting_for
from infra.local.stack import Stack, addresses, stack
from schemas.errors import SetupError
from schemas.recognition_event import ReviewItem
from schemas.settings import Settings, load_settings
from tests.pictures import encode, quarters

pytestmark = pytest.mark.counted

_PATIENCE_S = 60.0


def eventually(holds: Callable[[], bool], what: str) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, f"never came about: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def heard() -> list[str]:
    """What the stack said."""
    return []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, heard: list[str]) -> Iterator[Stack]:
    """A stack of its own, services included."""
    folder = tmp_path_factory.mktemp("stack")
    own = load_settings(
        kafka_bootstrap_servers=None, redis_url=None, worker_port=0, streams_port=0, threads=1
    )
    with stack(own, run_dir=folder, say=heard.append) as up:
        yield up


def test_everything_is_ready_and_its_addresses_are_known(running: Stack, heard: list[str]) -> None:
    assert running.settings.kafka_bootstrap_servers == running.base.kafka
    assert running.settings.redis_url == running.base.redis
    assert waiting_for(running.workers[0].url) is None
    assert waiting_for(running.streams.url) is None
    assert readings(running.streams.url).total("perennial_dependency_up") > 0
    assert any(line.startswith("waiting for") for line in heard)
    assert addresses(running).row_count == 4


def test_the_picture_of_what_is_asked_can_be_seen(running: Stack) -> None:
    image = encode(quarters())
    at, load = datetime(2026, 1, 2, tzinfo=UTC), lambda: image
    frame = Outgoing("a", "cam-1", at, {}, None, "image/jpeg", load)
    assert asyncio.run(publish(running.settings, [frame])) == 1
    asked: list[ReviewItem] = []

    def is_asked() -> bool:
        asked[:] = asyncio.run(open_items(running.settings))
        return bool(asked)

    eventually(is_asked, "an item")
    assert asyncio.run(picture_of(running.settings, asked[0])) == image


def test_a_service_that_dies_is_started_again(running: Stack, heard: list[str]) -> None:
    before = running.streams.pid
    psutil.Process(before).kill()
    eventually(lambda: running.streams.pid != before, "a new process")
    eventually(lambda: waiting_for(running.streams.url) is None, "a ready one")
    assert any("streams ended by itself; restart" in line for line in heard)
    assert running.streams.restarts > 0
    assert running.workers[0].url.startswith("http://127.0.0.1:")


def test_a_service_that_answers_no_more_is_started_again(
    running: Stack, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.supervisor.AILING_S", 3.0)
    eventually(lambda: waiting_for(running.streams.url) is None, "ready streams")
    frozen = running.streams.pid
    psutil.Process(frozen).suspend()
    eventually(lambda: running.streams.pid != frozen, "a new process")
    eventually(lambda: waiting_for(running.streams.url) is None, "a ready one")
    assert not psutil.pid_exists(frozen)
    assert any("streams /healthz does not answer; restart" in line for line in heard)


def test_nothing_is_left_when_it_ends(settings: Settings, tmp_path: Path) -> None:
    with stack(settings, workers=2, run_dir=tmp_path) as up:
        processes = [psutil.Process(s.pid) for s in up.services]
        assert [s.name for s in up.services] == ["worker", "worker-2", "streams"]
        assert len({up.streams.url, *(worker.url for worker in up.workers)}) == 3
    assert [p for p in processes if p.is_running()] == []


def test_a_service_that_cannot_start_says_why(settings: Settings, tmp_path: Path) -> None:
    broken = settings.model_copy(update={"model": tmp_path / "no-such-model"})
    with pytest.raises(SetupError, match=r"(?s)worker ended.*no-such-model"):  # noqa: SIM117
        with stack(broken, run_dir=tmp_path):
            pytest.fail("it came up without a model")
