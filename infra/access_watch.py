"""Watches whether a running service would still be let in, and may still do what it has to."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from access.rights import Role
from client.access import check_access
from schemas.access import SecurityProtocol
from schemas.errors import DependencyDown, SetupError
from schemas.runtime import Runtime

PART = "access"
"""How readiness names it."""

_EVERY_S = 10.0
_AGAIN_S = 2.0
_log = logging.getLogger(__name__)


@asynccontextmanager
async def access_watched(runtime: Runtime, role: Role) -> AsyncIterator[None]:
    """Look at the access of a role again and again, beside what is done in the block.

    Clients say that a connection failed, and keep to themselves that it was for a password; a
    right may be taken away while they wait. So each look logs in anew, and asks for the rights.
    """
    if runtime.settings.kafka_security_protocol is SecurityProtocol.PLAINTEXT:
        yield
        return
    watching = asyncio.ensure_future(_watch(runtime, role))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(runtime: Runtime, role: Role) -> None:
    said: str | None = None
    while True:
        problem: str | None = None
        try:
            await asyncio.to_thread(check_access, runtime.settings, role)
        except (DependencyDown, SetupError) as error:
            problem = str(error)
            runtime.health.down(PART, problem)
        else:
            runtime.health.up(PART)
        if problem != said:
            _log.warning("access: %s", problem or "granted again")
        said = problem
        await asyncio.sleep(_EVERY_S if problem is None else _AGAIN_S)
