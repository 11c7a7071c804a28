"""The index as a user of Redis with the least rights; with one less, that is said."""

from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
from redis.exceptions import NoPermissionError

from access.redis import async_redis_client
from access.rights import Role, redis_commands, redis_rules
from recognition.cluster import EVERYWHERE
from schemas.errors import DependencyDown
from schemas.settings import Settings
from streams.index.base import GalleryState, IndexDiffers, IndexEntry, Query, ShardState
from streams.index.redis import RedisIndex
from tests.gallery_entries import MODEL, unit

AXES = np.eye(4, dtype=np.float32)
ENTRIES = [IndexEntry(f"e{i}", "oak", MODEL, "all", unit(AXES[i])) for i in range(3)]
SHARD = ShardState(entries=3, identities=1, threshold=0.5)
STATE = GalleryState(epoch="one", position=3, models={MODEL: {"all": SHARD, EVERYWHERE: SHARD}})
PASSWORD = "p@ss:w/ord %23?"

Allow = Callable[..., Awaitable[None]]


@pytest.fixture
async def allow(settings: Settings) -> AsyncIterator[Allow]:
    """Give the user of this test the least rights of the streams, less some commands."""
    name = settings.topic_prefix
    async with async_redis_client(settings) as client:

        async def given(*less: str) -> None:
            rules = [*redis_rules(settings, Role.STREAMS), *(f"-{command}" for command in less)]
            login = ("reset", "on", f">{PASSWORD}")
            await client.execute_command("ACL", "SETUSER", name, *login, *rules)

        await given()
        yield given
        await client.execute_command("ACL", "DELUSER", name)


@pytest.fixture
async def index(settings: Settings, allow: Allow) -> AsyncIterator[RedisIndex]:
    login = {"redis_username": settings.topic_prefix, "redis_password": PASSWORD}
    own = Settings(**{**settings.model_dump(exclude_unset=True), **login})
    made = RedisIndex.of(own)
    yield made
    await allow()
    await made.remove()
    await made.close()


async def used(index: RedisIndex) -> None:
    """Do all that the streams do with an index."""
    await index.write(ENTRIES, [], STATE, term=2)
    (nearest,) = await index.search([Query(AXES[0], MODEL, ("all",))], 2, "one")
    assert nearest[0].entry_id == "e0"
    assert await index.holds(STATE)
    assert await index.altered(ENTRIES) == []
    assert await index.expel(STATE, lambda _: True, 1.0, term=2) == []
    assert await index.term() == 2
    assert await index.eviction() is None
    await index.sweep(STATE, term=2)
    await index.clear(term=2)


async def test_the_least_rights_are_enough(index: RedisIndex) -> None:
    await used(index)


# Of the first two, one is sent in rare cases only, and without the other Redis complains of EXEC.
@pytest.mark.parametrize(
    "command", [c for c in redis_commands(Role.STREAMS) if c not in ("unwatch", "multi")]
)
async def test_each_of_them_is_needed_and_is_named_where_it_is_missing(
    index: RedisIndex, allow: Allow, command: str
) -> None:
    await allow(command)
    with pytest.raises(DependencyDown, match=f"(?i)no permissions to run the '{command}'") as told:
        await used(index)
    assert not isinstance(told.value, IndexDiffers)


async def test_keys_of_others_are_out_of_reach(index: RedisIndex) -> None:
    with pytest.raises(NoPermissionError):
        await index._redis.set("somebody's", "value")
