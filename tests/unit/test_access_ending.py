"""Tasks are cancelled until they have ended, whatever swallows a cancellation on the way."""

import asyncio
import logging

import pytest

from access.ending import end


async def swallowing(times: int) -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_what_swallows_a_cancellation_ends_all_the_same(times: int) -> None:
    tasks = [asyncio.ensure_future(swallowing(times)), asyncio.ensure_future(swallowing(0))]
    await asyncio.sleep(0)
    assert await end(tasks, within_s=10)
    assert all(task.cancelled() for task in tasks)


async def test_what_never_ends_is_told_of() -> None:
    task = asyncio.ensure_future(swallowing(5))
    await asyncio.sleep(0)
    assert not await end([task], within_s=0.15)
    assert await end([task], within_s=10)


async def test_what_is_lost_where_what_is_waited_for_is_just_done() -> None:
    """As redis-py waits, before Python 3.12."""
    ready = asyncio.get_running_loop().create_future()

    async def for_ever() -> None:
        await asyncio.wait_for(ready, 60)
        await asyncio.sleep(60)

    task = asyncio.ensure_future(for_ever())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(ready.set_result, None)
    await asyncio.sleep(0)
    assert await end([task], within_s=10)


async def test_an_error_on_the_way_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("on the way")

    with caplog.at_level(logging.ERROR):
        assert await end([asyncio.ensure_future(fails())], within_s=10)
        await asyncio.sleep(0)
    assert caplog.text == ""


async def test_nothing_to_end() -> None:
    assert await end([], within_s=0)
