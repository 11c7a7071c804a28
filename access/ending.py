"""The end of tasks that somebody else's code may be in."""

import asyncio
from collections.abc import Collection
from typing import Any

_AGAIN_S = 0.1


async def end(tasks: Collection["asyncio.Future[Any]"], within_s: float = 1.0) -> bool:
    """Cancel tasks until they have ended, ``within_s`` seconds at most.

    Once is not enough: before Python 3.12 ``asyncio.wait_for`` loses a cancellation that comes
    when what it waits for is just done (gh-86296), and redis-py sends each command with it.

    Returns:
        Whether all have ended.
    """
    left = set(tasks)
    end_by = asyncio.get_running_loop().time() + within_s
    while left and asyncio.get_running_loop().time() < end_by:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_AGAIN_S)
        for task in ended:
            _ = task.cancelled() or task.exception()  # asked for, or asyncio logs it
    return not left
