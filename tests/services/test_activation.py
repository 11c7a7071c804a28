"""A conditioning rolled out on running streams, under load: nothing lost, nothing half-built."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from access.redis import async_redis_client
from infra.local.embedded import EmbeddedRedis
from schemas.conditioning import Activation
from schemas.event import Background
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.recognition_event import Identification
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
)
from streams.app import run
from streams.index.base import GalleryState
from streams.index.redis import RedisIndex
from streams.index.shard import Shard
from tests.conditionings import DAY, NIGHT, activation, conditioning, saved
from tests.gallery_entries import MODEL, enrol, entry
from tests.secured.session import NO_REDIS_LOGIN
from tests.services.commands import records
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
from tests.services.processes import process

OUTCOMES = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
SIZE, ENTRIES = 32, 6000
BACKGROUNDS: tuple[Background, ...] = ({**DAY}, {**NIGHT}, {})
VECTORS = np.random.default_rng(0).normal(size=(ENTRIES, SIZE)).astype(np.float32)
LAID = {None: {"all": ENTRIES}, "fitted": Counter(("c0", "c1", "unclustered") * (ENTRIES // 3))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A conditioning by light."""
    saved(tmp_path / "light", conditioning(SIZE, seed=7))
    return tmp_path / "light"


@pytest.fixture
def own_settings(settings: Settings, own_redis: EmbeddedRedis) -> Settings:
    """Settings with a Redis of the test's own."""
    return settings.model_copy(update={"redis_url": own_redis.address, **NO_REDIS_LOGIN})


async def enrolled(settings: Settings) -> None:
    """Put the whole gallery on its topic, each entry an identity of its own."""
    entries = (
        entry(f"e{i}", f"id-{i}", VECTORS[i], background=BACKGROUNDS[i % 3]) for i in range(ENTRIES)
    )
    await put(settings, records(settings, GALLERY, *entries))


class Load:
    """Publishes probes of enrolled vectors, evenly, until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self.sent: dict[str, str] = {}
        self._settings = settings
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    async def go_on(self, rate: float = 60) -> None:
        rng = np.random.default_rng(1)
        async with putting(self._settings) as put_all:
            while not self._stopped:
                batch = []
                for i in rng.integers(ENTRIES, size=12):
                    name = f"probe-{len(self.sent)}"
                    self.sent[name] = f"id-{i}"
                    batch.append(
                        embedding(name, VECTORS[i], background=BACKGROUNDS[i % 3], model=MODEL)
                    )
                await put_all(embedding_records(self._settings, batch))
                await asyncio.sleep(len(batch) / rate)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.go_on())
        try:
            yield
        finally:
            self.stop()
            await task


async def ask(settings: Settings, record: Activation) -> None:
    await put(settings, [record.record(settings.topic(CONDITIONING))])


def ids(found: list[Record]) -> set[str | None]:
    return {record.header("ce_id") for record in found}


def answers(settings: Settings, found: list[Record]) -> list[Identification]:
    topic = settings.topic(IDENTIFICATIONS)
    return [Identification.read(record) for record in found if record.topic == topic]


async def answered(found: list[Record], more: int) -> None:
    before = len(found)
    await eventually(lambda: len(found) >= before + more, f"{more} more outcomes")


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[RedisIndex]:
    index = RedisIndex.of(settings.model_copy(update={"hnsw_above": 10**6}))
    try:
        yield index
    finally:
        await index.close()


async def laid_out(settings: Settings, version: str | None) -> GalleryState:
    """Wait until the index is laid out by this conditioning, None for plain."""
    async with asyncio.timeout(60), looking(settings) as index:
        while True:
            state = await index.state()
            active = None if state is None else state.conditioning
            if state is not None and version == (None if active is None else active.version):
                return state
            await asyncio.sleep(0.02)


async def begun(settings: Settings, space: str) -> None:
    """Wait until the first shard of a space is there."""
    name = Shard(settings.topic_prefix, space, "c0").index("flat").encode()
    async with asyncio.timeout(60), async_redis_client(settings) as client:
        while name not in await client.execute_command("FT._LIST"):
            await asyncio.sleep(0.005)


def right(load: Load, events: list[Identification], version: str | None) -> None:
    """Check that each probe was identified as who it is, in shards that were whole."""
    assert {event.event_id: event.identity for event in events} == load.sent
    assert {event.conditioning for event in events} <= {None, version}
    for event in events:
        whole = LAID[None if event.conditioning is None else "fitted"]
        assert event.shards
        for shard in event.shards:
            assert shard.entries in (whole[shard.cluster], whole[shard.cluster] + 1)


async def test_a_conditioning_is_activated_and_taken_back_under_load(
    settings: Settings, metrics: Metrics, health: Health, folder: Path
) -> None:
    await enrolled(settings)
    load, wanted = Load(settings), activation(folder)
    async with (
        running(lambda stop: run(Runtime(settings, metrics, health), stop)),
        collecting(settings, *OUTCOMES) as found,
    ):
        await indexed(settings, ENTRIES)
        async with load.running():
            await answered(found, 100)
            await ask(settings, wanted)
            late = enrol("late", "late", -VECTORS[0], background=NIGHT)
            await put(settings, [late.record(settings.topic(GALLERY_COMMANDS))])
            state = await laid_out(settings, wanted.version)
            assert state.space(MODEL) == f"{MODEL}+{wanted.version}"
            await answered(found, 200)
            await indexed(settings, ENTRIES + 1)
            await ask(settings, activation(None, wanted.artefact))
            await laid_out(settings, None)
            await answered(found, 200)
        await eventually(lambda: ids(found) == load.sent.keys(), "nothing is lost")
        await eventually(lambda: health.ready, "all is well")
    events = answers(settings, found)
    assert len(events) == len(found), "each is known, before, during and after"
    right(load, events, wanted.version)
    phases = Counter(event.conditioning for event in events)
    assert phases[wanted.version] >= 100
    assert phases[None] >= 200
    last = [event.conditioning for event in events[-50:]]
    assert set(last) == {None}


async def test_a_process_killed_while_it_activates_loses_nothing(
    own_settings: Settings, tmp_path: Path, folder: Path
) -> None:
    await enrolled(own_settings)
    load, wanted, log = Load(own_settings), activation(folder), tmp_path / "streams.log"
    async with collecting(own_settings, *OUTCOMES) as found, looking(own_settings) as index:
        with process(own_settings, log, "streams") as first:
            await indexed(own_settings, ENTRIES)
            async with load.running():
                await answered(found, 50)
                await ask(own_settings, wanted)
                await begun(own_settings, f"{MODEL}+{wanted.version}")
                first.kill()
                state = await index.state()
                assert state is not None
                assert state.conditioning is None, "it was killed in the midst of it"
                with process(own_settings, log, "streams") as second:
                    await laid_out(own_settings, wanted.version)
                    await answered(found, 100)
                    load.stop()
                    await eventually(
                        lambda: ids(found) >= load.sent.keys(), "nothing is lost", within_s=90
                    )
                    assert second.alive
        final = await index.state()
        assert final is not None
        assert await index.holds(final)
    events = answers(own_settings, found)
    assert len(events) == len(found)
    right(load, events, wanted.version)
    assert events[-1].conditioning == wanted.version


async def test_redis_that_comes_back_empty_is_laid_out_by_the_conditioning(
    own_redis: EmbeddedRedis,
    own_settings: Settings,
    metrics: Metrics,
    health: Health,
    folder: Path,
) -> None:
    await enrolled(own_settings)
    load, wanted = Load(own_settings), activation(folder)
    await ask(own_settings, wanted)
    async with (
        running(lambda stop: run(Runtime(own_settings, metrics, health), stop)),
        collecting(own_settings, *OUTCOMES) as found,
    ):
        before = await laid_out(own_settings, wanted.version)
        async with load.running():
            await answered(found, 50)
            own_redis.stop()
            await eventually(lambda: not health.ready, "it says that Redis is down")
            own_redis.start()
            after = await laid_out(own_settings, wanted.version)
            await answered(found, 100)
        await eventually(lambda: ids(found) >= load.sent.keys(), "nothing is lost")
    assert after.epoch != before.epoch
    events = answers(own_settings, found)
    assert len(events) == len(found)
    right(load, events, wanted.version)
    assert {event.conditioning for event in events} == {wanted.version}


async def test_of_two_processes_the_owner_of_the_gallery_hears_of_it(
    settings: Settings, tmp_path: Path, folder: Path
) -> None:
    await put(
        settings,
        records(
            settings,
            GALLERY,
            entry("e0", "oak", VECTORS[0], background=DAY),
            entry("e1", "elm", VECTORS[1], background=NIGHT),
        ),
    )
    wanted = activation(folder)
    with (
        process(settings, tmp_path / "one.log", "streams"),
        process(settings, tmp_path / "two.log", "streams"),
    ):
        await indexed(settings, 2)
        for record in (wanted, activation(None, wanted.artefact), wanted):
            await ask(settings, record)
            state = await laid_out(settings, record.version)
        assert {cluster for _, cluster in state.shards} == {"c0", "c1"}
