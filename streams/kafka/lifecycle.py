"""One Faust app from its start to its end, whichever part of it ends first.

Faust restarts an agent that raised, stays quiet when a task of its own was cancelled, and waits
without limit for its threads. Here an agent, a timer, the consumer's thread or the app that ends
unasked is the end of the app, and an app has :data:`STOP_S` to end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from access.ending import end
from schemas.errors import Crashed
from streams.kafka.faust_app import TamedApp

STOP_S = 9.0
"""How long an app may take to end: its batch, its offsets, its group."""

TICK_S = 1.0

Timer = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


async def run_until(
    stop: asyncio.Event, app: TamedApp, timers: Sequence[Timer]
) -> BaseException | None:
    """Run the app until ``stop`` is set or a part of it ends; return why it ended unasked.

    Raises:
        Crashed: it ended unasked and could not be stopped as a whole: what is left of it may still
            be at work, so that nothing may begin beside it.
    """
    asked, begun = asyncio.ensure_future(stop.wait()), asyncio.Event()
    turns = [_begun(app, begun), *(_each_second(begun, timer) for timer in timers)]
    tasks: list[asyncio.Future[Any]] = [app.ended, *map(asyncio.ensure_future, turns)]
    try:
        await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
        why = None if stop.is_set() else _reason(tasks)
    finally:
        asked.cancel()
        await end(tasks)
    if not await _stopped(app) and why is not None:
        raise Crashed(f"Faust did not end within {STOP_S:g} s after {why!r}") from why
    return why


async def _begun(app: TamedApp, begun: asyncio.Event) -> None:
    """Start the app and watch it; it does not return by itself."""
    await app.start()
    begun.set()
    await _each_second(begun, partial(_alive, app))


async def _each_second(begun: asyncio.Event, work: Timer) -> None:
    await begun.wait()
    while True:
        await work()
        await asyncio.sleep(TICK_S)


async def _alive(app: TamedApp) -> None:
    """Ask Faust, which may crash without waking anyone: its thread sets events of our loop.

    Raises:
        Crashed: a part of it has ended.
    """
    if app.crashed:
        raise Crashed("Faust crashed") from app.crash_reason
    if app.should_stop:
        raise Crashed("Faust stopped")
    if not app.reader.alive:
        raise Crashed("the thread of Faust's consumer ended")


def _reason(tasks: Sequence[asyncio.Future[Any]]) -> BaseException:
    for task in tasks:
        if task.done():
            return _root(task)
    return Crashed("Faust ended")


def _root(task: asyncio.Future[Any]) -> BaseException:
    if task.cancelled():
        return Crashed("a task was cancelled that nobody of ours cancels")
    why: BaseException | None = task.exception()
    if why is None:
        why = task.result()
    if isinstance(why, Crashed) and why.__cause__ is not None:
        return why.__cause__
    return why if isinstance(why, BaseException) else Crashed("Faust ended")


async def _stopped(app: TamedApp) -> bool:
    stopping = asyncio.ensure_future(app.stop())
    done, _ = await asyncio.wait({stopping}, timeout=STOP_S)
    if not done:
        log.warning("Faust did not end within %g s; what it was at is read again", STOP_S)
        return False
    if stopping.exception() is not None:
        log.warning("Faust did not end well", exc_info=stopping.exception())
    return True
