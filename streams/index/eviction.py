"""Whether Redis may drop entries when its memory is short."""

import logging

from schemas.errors import DependencyDown, SetupError
from streams.index.base import Index

REMEDY = "redis-cli CONFIG SET maxmemory-policy noeviction, and in its configuration"

log = logging.getLogger(__name__)


def eviction_problem(policy: str, maxmemory: int) -> str | None:
    """Say what is wrong with a policy under a limit of so many bytes; 0 bytes: no limit.

    >>> eviction_problem("noeviction", 1000)
    >>> eviction_problem("allkeys-lru", 0)
    >>> eviction_problem("allkeys-lru", 1000)
    'maxmemory is 1000 and maxmemory-policy allkeys-lru: Redis may drop entries of the gallery'
    """
    if policy == "noeviction" or maxmemory == 0:
        return None
    return (
        f"maxmemory is {maxmemory} and maxmemory-policy {policy}: "
        "Redis may drop entries of the gallery"
    )


async def refuse_eviction(index: Index) -> None:
    """Refuse to start on a Redis that may drop entries; one that does not answer passes.

    Raises:
        SetupError: with the remedy.
    """
    try:
        problem = await index.eviction()
    except DependencyDown:
        return  # the agents wait for it, and the guard will tell
    if problem is not None:
        raise SetupError(f"{problem}: {REMEDY}")


class EvictionGuard:
    """Notices when the policy is changed while the agents run; they go on, but are not ready."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._said: str | None = None

    async def check(self) -> None:
        """Ask once.

        Raises:
            DependencyDown: ``eviction``, while Redis may drop entries.
        """
        problem = await self._index.eviction()
        if problem is not None and problem != self._said:
            log.error("%s: %s", problem, REMEDY)
        self._said = problem
        if problem is not None:
            raise DependencyDown("eviction", f"{problem}: {REMEDY}")
