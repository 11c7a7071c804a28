"""A topic on which nothing comes costs nothing: no memory, and no noise when something is wrong."""

import asyncio
import gc
from typing import Any

from aiokafka.errors import GroupAuthorizationFailedError

from client.reader import reader
from schemas.settings import Settings
from schemas.topics import FRAMES


async def test_reads_that_bring_nothing_leave_nothing_behind(settings: Settings) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with reader(settings, FRAMES, from_beginning=True) as log:
        for _ in range(20):
            assert await log.batch(0.02) == []
        client: Any = log._client
        await asyncio.sleep(0)  # a future that is cancelled leaves its set in the next turn
        assert not client._fetcher._fetch_waiters
        client._subscription.abort_waiters(GroupAuthorizationFailedError("group"))
    gc.collect()
    assert told == []
