"""The streams end when they are asked to, whatever is down; what ends unasked is a crash."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.admin import create_topics
from infra.local.embedded import EmbeddedRedis, Services
from schemas.settings import Settings, environment, load_settings
from tests.services.crashing import PARTS
from tests.services.kafka import collecting, embedding, embedding_records, eventually, put
from tests.services.own import own_services
from tests.services.processes import Process, process
from tests.services.test_stream_faults import OUTCOMES, PLACES, outcomes

pytestmark = pytest.mark.counted

MOST_S = 15.0


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


@pytest.mark.parametrize("part", list(PARTS))
async def test_what_ends_unasked_is_a_crash_of_the_process(settings: Settings, part: str) -> None:
    """One left a process that answered nothing, one a process that ended with status 0."""
    await ask(settings, "probe")
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.services.crashing", part,
        env={**os.environ, **environment(settings)}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(120):
        _, told = await service.communicate()
    assert service.returncode == 1
    assert any(line.startswith(b"Crashed: ") for line in told.splitlines())


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
