"""Redis loses or alters part of the gallery under load: no known probe may come out as unknown.

Whatever happens to Redis, each probe is answered rightly or waits, readiness says that something
is wrong, and the gallery agent mends it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from redis.asyncio import Redis

from access.redis import async_redis_client
from infra.local.embedded import EmbeddedRedis
from schemas.errors import SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.recognition_event import Identification
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, GALLERY_COMMANDS, HUMAN_REVIEW, IDENTIFICATIONS
from streams.app import run
from streams.index.redis import RedisIndex
from tests.gallery_entries import MODEL, enrol
from tests.secured.session import NO_REDIS_LOGIN
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

OUTCOMES = (IDENTIFICATIONS, HUMAN_REVIEW, DEAD_LETTERS)
PLACES = np.eye(24, dtype=np.float32)[:20] + np.linspace(0, 0.05, 20, dtype=np.float32)[:, None]
GARBAGE = b"\xff not the state"

Harm = Callable[[Redis, str], Awaitable[object]]


class Remembering(Health):
    """Remembers which parts were ever down."""

    def __init__(self, metrics: Metrics) -> None:
        self.fallen: set[str] = set()
        super().__init__(metrics)

    def down(self, part: str, why: str) -> None:
        self.fallen.add(part)
        super().down(part, why)


async def hashes(redis: Redis, prefix: str) -> list[bytes]:
    return sorted([key async for key in redis.scan_iter(f"{prefix}gallery:*")])


async def the_index(redis: Redis, prefix: str) -> tuple[str, str]:
    """Return the name of the one index, and its alias."""
    names = [name.decode() for name in await redis.execute_command("FT._LIST")]
    (name,) = [name for name in names if name.startswith(f"{prefix}gallery:")]
    return name, name.rsplit(".", 1)[0]


async def delete_half(redis: Redis, prefix: str) -> None:
    await redis.delete(*(await hashes(redis, prefix))[::2])


async def delete_one_and_add_a_stranger(redis: Redis, prefix: str) -> None:
    """The count stays; only a comparison of the contents tells."""
    first, second, *_ = await hashes(redis, prefix)
    fields = await redis.hgetall(first)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.delete(second)
        pipe.hset(first.rpartition(b":")[0] + b":stranger", mapping=fields)  # type: ignore[arg-type]
        await pipe.execute()


async def drop_the_index(redis: Redis, prefix: str) -> None:
    await redis.execute_command("FT.DROPINDEX", (await the_index(redis, prefix))[0])


async def lead_the_alias_elsewhere(redis: Redis, prefix: str) -> None:
    """To an index of as many entries, all of another look."""
    _, alias = await the_index(redis, prefix)
    elsewhere = f"{prefix}elsewhere"
    dimension = PLACES.shape[1]
    await redis.execute_command(
        "FT.CREATE", elsewhere, "PREFIX", 1, f"{elsewhere}:", "SCHEMA", "vector", "VECTOR",
        "FLAT", 6, "TYPE", "FLOAT32", "DIM", dimension, "DISTANCE_METRIC", "COSINE",
    )  # fmt: skip
    vector = np.eye(dimension, dtype="<f4")[-1].tobytes()
    for i in range(len(PLACES)):
        fields: dict[str, str | bytes] = {"identity": "nobody", "scale": "1", "vector": vector}
        await redis.hset(f"{elsewhere}:{i}", mapping=fields)  # type: ignore[arg-type]
    await redis.execute_command("FT.ALIASUPDATE", alias, elsewhere)


async def spoil_the_state(redis: Redis, prefix: str) -> None:
    await redis.set(f"{prefix}gallery-state", GARBAGE)


async def put_a_list_in_place_of_the_state(redis: Redis, prefix: str) -> None:
    async with redis.pipeline(transaction=True) as pipe:
        pipe.delete(f"{prefix}gallery-state")
        pipe.rpush(f"{prefix}gallery-state", "x")
        await pipe.execute()


HARM: dict[str, Harm] = {
    harm.__name__: harm
    for harm in (
        delete_half,
        drop_the_index,
        lead_the_alias_elsewhere,
        spoil_the_state,
        put_a_list_in_place_of_the_state,
    )
}


async def teach(settings: Settings) -> None:
    commands = [enrol(f"taught-{i}", f"place-{i}", place) for i, place in enumerate(PLACES)]
    topic = settings.topic(GALLERY_COMMANDS)
    await put(settings, [command.record(topic) for command in commands])
    await indexed(settings, len(PLACES))


async def load(settings: Settings, count: int, rate: float, prefix: str = "probe") -> set[str]:
    """Publish probes of the taught places evenly; return their ids."""
    ids = [f"{prefix}-{i:04}" for i in range(count)]
    async with putting(settings) as put_all:
        for start in range(0, count, 10):
            batch = [
                embedding(i, PLACES[int(i[-4:]) % len(PLACES)] + 0.01, model=MODEL)
                for i in ids[start : start + 10]
            ]
            await put_all(embedding_records(settings, batch))
            await asyncio.sleep(10 / rate)
    return set(ids)


def answered(found: Sequence[Record]) -> set[str]:
    return {str(record.header("ce_id")) for record in found}


def right(settings: Settings, found: Sequence[Record]) -> set[str]:
    """Return the probes that were identified as the place they are of, each time."""
    topic = settings.topic(IDENTIFICATIONS)
    events = [Identification.read(record) for record in found if record.topic == topic]
    good = {e.event_id for e in events if e.identity == f"place-{int(e.event_id[-4:]) % 20}"}
    others = {str(r.header("ce_id")) for r in found if r.topic != topic}
    return good - others - {e.event_id for e in events if e.event_id not in good}


async def mended(settings: Settings) -> None:
    """Wait until Redis holds the whole gallery again."""
    index = RedisIndex.of(settings)
    try:
        async with asyncio.timeout(30):
            while True:
                state = await index.state()
                if state is not None and await index.holds(state):
                    assert sum(state.shards.values()) == len(PLACES)
                    return
                await asyncio.sleep(0.05)
    finally:
        await index.close()


@asynccontextmanager
async def working(
    settings: Settings, metrics: Metrics, health: Health
) -> AsyncIterator[list[Record]]:
    """Run the agents, with the places taught; yield what comes out."""
    async with (
        running(lambda stop: run(Runtime(settings, metrics, health), stop)),
        collecting(settings, *OUTCOMES) as found,
    ):
        await teach(settings)
        await eventually(lambda: health.ready, "all is well at first")
        yield found


@pytest.mark.parametrize("harm", HARM)
async def test_what_redis_lost_is_no_unknown_and_is_mended(
    settings: Settings, metrics: Metrics, harm: str
) -> None:
    health = Remembering(metrics)
    async with (
        working(settings, metrics, health) as found,
        async_redis_client(settings) as redis,
    ):
        health.fallen.clear()
        loading = asyncio.create_task(load(settings, 200, rate=100))
        await eventually(lambda: len(answered(found)) > 40, "it is at work")
        await HARM[harm](redis, settings.topic_prefix)
        sent = await loading
        await mended(settings)
        await eventually(lambda: answered(found) >= sent, "each probe has an outcome")
        await eventually(lambda: health.ready, "it says that all is well again")
        sent |= await load(settings, 20, rate=100, prefix="after")
        await eventually(lambda: answered(found) >= sent, "it goes on")
    wrong = sent - right(settings, found)
    assert not wrong, f"{len(wrong)} of {len(sent)} known probes were answered wrongly"
    if harm not in ("spoil_the_state", "put_a_list_in_place_of_the_state"):
        assert health.fallen & {"index", "gallery"}, "readiness said so"


async def test_contents_that_were_exchanged_are_found_and_put_right(
    settings: Settings, metrics: Metrics, health: Health
) -> None:
    quick = settings.model_copy(update={"verify_interval_s": 1.0})
    async with (
        working(quick, metrics, health) as found,
        async_redis_client(settings) as redis,
    ):
        before = await hashes(redis, settings.topic_prefix)
        await delete_one_and_add_a_stranger(redis, settings.topic_prefix)
        async with asyncio.timeout(30):
            while await hashes(redis, settings.topic_prefix) != before:
                await asyncio.sleep(0.05)
        await eventually(lambda: health.ready, "it says that all is well again")
        sent = await load(settings, 40, rate=100)
        await eventually(lambda: answered(found) >= sent, "each probe has an outcome")
    assert right(settings, found) == sent
    repairs = metrics.registry.get_sample_value
    # The stranger may be found first; then the count is wrong, and all is written anew.
    found_by = [
        repairs("perennial_index_repairs_total", {"what": what}) for what in ("contents", "strays")
    ]
    assert any(found_by)


@pytest.fixture
def own_settings(settings: Settings, own_redis: EmbeddedRedis) -> Settings:
    """Settings with a Redis of the test's own."""
    changes = {"redis_url": own_redis.address, "redis_timeout_s": 0.5, **NO_REDIS_LOGIN}
    return settings.model_copy(update=changes)


async def another_tenant_presses(redis: Redis, prefix: str) -> None:
    """Make memory short for all, as somebody else who uses this Redis as a cache would."""
    used = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    await redis.config_set("maxmemory", used + 300_000)
    async with asyncio.timeout(60):
        i = 0
        while len(await hashes(redis, prefix)) >= len(PLACES):
            await redis.set(f"cache:{i}", b"x" * 10_000)
            i += 1


async def test_eviction_is_no_unknown_and_readiness_names_the_policy(
    own_settings: Settings, metrics: Metrics
) -> None:
    health = Remembering(metrics)
    async with (
        working(own_settings, metrics, health) as found,
        async_redis_client(own_settings) as redis,
    ):
        loading = asyncio.create_task(load(own_settings, 300, rate=60))
        await eventually(lambda: len(answered(found)) > 40, "it is at work")
        await another_tenant_presses(redis, own_settings.topic_prefix)
        await eventually(lambda: "eviction" in health.report(), "the policy is noticed")
        assert "noeviction" in health.report()["eviction"]
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", 0)
        sent = await loading
        await eventually(lambda: answered(found) >= sent, "each probe has an outcome")
        await mended(own_settings)
        await eventually(lambda: health.ready, "it says that all is well again")
    wrong = sent - right(own_settings, found)
    assert not wrong, f"{len(wrong)} of {len(sent)} known probes were answered wrongly"


async def test_streams_do_not_start_where_redis_may_evict(
    own_settings: Settings, metrics: Metrics, health: Health
) -> None:
    async with async_redis_client(own_settings) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        await redis.config_set("maxmemory", 100_000_000)
    with pytest.raises(SetupError, match="maxmemory-policy noeviction"):
        await asyncio.wait_for(run(Runtime(own_settings, metrics, health), asyncio.Event()), 30)
