"""What the streams do once a second, and what they say when it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from access.patience import Patience, is_passing
from schemas.errors import SetupError
from schemas.health import Health

SLOW_S = 10.0
"""How long work may take before readiness tells of it."""

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


def patient(
    work: Callable[[], Awaitable[None]], patience: Patience
) -> Callable[[], Awaitable[None]]:
    """Return ``work`` as a timer does it: what it raises is said, and the next turn tries again."""
    down: set[str] = set()

    async def tick() -> None:
        try:
            await work()
        except SetupError:
            raise  # the operator must change something first: the service ends
        except Exception as error:
            if not is_passing(error):
                log.exception("a timer failed")
            down.add(patience.note("timer", error))
        else:
            patience.over(down)

    return tick


def telling(
    part: str, what: str, health: Health, work: Callable[P, Awaitable[T]]
) -> Callable[P, Awaitable[T]]:
    """Return ``work`` with readiness saying ``what`` of ``part`` while it takes long.

    It is for work that has a right to take minutes: a service that says what it waits for is not
    taken for one that stands still.
    """

    async def told(*args: P.args, **options: P.kwargs) -> T:
        late = asyncio.get_running_loop().call_later(SLOW_S, health.down, part, what)
        try:
            return await work(*args, **options)
        finally:
            late.cancel()
            if late.when() <= asyncio.get_running_loop().time():
                health.up(part)

    return told
