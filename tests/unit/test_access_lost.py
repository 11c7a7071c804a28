"""Whether a consumer has lost its group for good, by the tasks that aiokafka keeps for it."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import GroupAuthorizationFailedError

from access.refusals import is_lost


async def ends_well() -> None:
    pass


async def is_refused() -> None:
    raise GroupAuthorizationFailedError("group")


async def goes_on() -> None:
    await asyncio.Event().wait()


def consumer(**tasks: "asyncio.Task[None] | None") -> SimpleNamespace:
    usual = {"coordination": None, "heartbeat": None, "commit_refresh": None}
    parts = {f"_{name}_task": task for name, task in {**usual, **tasks}.items()}
    return SimpleNamespace(_coordinator=SimpleNamespace(**parts))


@pytest.mark.parametrize(
    ("part", "lost"), [("coordination", True), ("heartbeat", False), ("commit_refresh", False)]
)
async def test_a_part_that_ended(part: str, *, lost: bool) -> None:
    """A heartbeat that ends well is that of a membership that is over: it is joined anew."""
    task = asyncio.create_task(ends_well())
    await task
    assert is_lost(consumer(**{part: task})) is lost


@pytest.mark.parametrize("part", ["coordination", "heartbeat", "commit_refresh"])
async def test_a_part_that_failed(part: str) -> None:
    task = asyncio.create_task(is_refused())
    await asyncio.wait([task])
    assert is_lost(consumer(**{part: task}))


@pytest.mark.parametrize("part", ["coordination", "heartbeat", "commit_refresh"])
async def test_a_part_at_work(part: str) -> None:
    task = asyncio.create_task(goes_on())
    assert not is_lost(consumer(**{part: task}))
    task.cancel()


@pytest.mark.parametrize("part", ["heartbeat", "commit_refresh"])
async def test_a_part_that_was_ended(part: str) -> None:
    task = asyncio.create_task(goes_on())
    task.cancel()
    await asyncio.wait([task])
    assert not is_lost(consumer(**{part: task}))


def test_without_a_group_there_is_nothing_to_lose() -> None:
    assert not is_lost(SimpleNamespace(_coordinator=None))
    assert not is_lost(SimpleNamespace(_coordinator=SimpleNamespace()))
