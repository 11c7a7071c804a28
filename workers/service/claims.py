"""Waiting for the images of claim checks, without holding up anybody else."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import random

from schemas.errors import BadInput
from schemas.runtime import Runtime
from workers.images.claim_check import Fetcher, Store, StoreDown
from workers.service.job import Job

IN_TURN_S = 1.0
"""For so long a frame keeps its turn while its image is fetched; then it steps aside."""
_FIRST_WAIT_S = 0.1
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Claim:
    """One image that does not come yet.

    ``blamed``: it has failed up to its deadline, and its store has answered others since. If it
    fails once more, it is the image and not the store.
    """

    job: Job
    uri: str
    began: float
    blamed: bool = False


class Claims:
    """Fetches images for as long as it takes, and tells a bad image from a store that is down.

    Args:
        max_wait_s: longest pause between two attempts.
    """

    def __init__(self, runtime: Runtime, fetcher: Fetcher, max_wait_s: float = 5.0) -> None:
        self._fetcher = fetcher
        self._metrics = runtime.metrics
        self._health = runtime.health
        # After it an image that fails is asked about: does its store answer others?
        self._deadline_s = runtime.settings.image_uri_deadline_s
        self._max_wait_s = max_wait_s
        self._failing: dict[Store, set[_Claim]] = defaultdict(set)

    def quiet(self, uri: str) -> bool:
        """Tell whether the store of ``uri`` has failed, and has answered nobody since."""
        with suppress(BadInput):
            return self._fetcher.store_of(uri).quiet
        return False

    async def in_turn(self, job: Job, uri: str) -> bytes | None:
        """Return the image, or ``None`` when it does not come at once.

        Raises:
            BadInput: for what the store says of it.
        """
        job.stage = "fetch"
        with suppress(TimeoutError, StoreDown):
            async with asyncio.timeout(IN_TURN_S):
                return await self._fetcher.fetch(uri)
        return None

    @asynccontextmanager
    async def aside(self, job: Job, uri: str) -> AsyncIterator[bytes]:
        """Yield the image once it came. Few of one store are inside at once, which bounds memory.

        Raises:
            BadInput: for what the store says of it; ``image_uri_failing`` when it failed up to the
                deadline and beyond, while its store answered others.
        """
        job.stage, job.attempts = "fetch", 0
        slots = self._fetcher.store_of(uri).slots
        claim = _Claim(job, uri, asyncio.get_running_loop().time())
        try:
            while True:
                async with slots:
                    answer = await self._attempt(claim)
                    if isinstance(answer, bytes):
                        self._forget(claim)
                        yield answer
                        return
                await self._pause(claim, answer.store)
        finally:
            self._forget(claim)

    async def _attempt(self, claim: _Claim) -> bytes | StoreDown:
        claim.job.attempts += 1
        try:
            return await self._fetcher.fetch(claim.uri)
        except StoreDown as error:
            if claim.blamed:
                waited_s = asyncio.get_running_loop().time() - claim.began
                raise BadInput(
                    "image_uri_failing",
                    f"{error}; {claim.job.attempts} attempts in {waited_s:.0f} s, while the store "
                    "answered others (PERENNIAL_IMAGE_URI_DEADLINE_S)",
                ) from error
            self._note(claim, error)
            return error

    async def _pause(self, claim: _Claim, store: Store) -> None:
        """Wait before the next attempt, and find out whose fault the last one was."""
        now = asyncio.get_running_loop().time
        failed_at = now()
        longest = min(self._max_wait_s, _FIRST_WAIT_S * 2 ** min(claim.job.attempts, 10))
        await asyncio.sleep(longest * random())  # noqa: S311  # spreads the attempts
        if now() - claim.began >= self._deadline_s:
            claim.blamed = await self._fetcher.answers(store, failed_at)

    def _note(self, claim: _Claim, error: StoreDown) -> None:
        self._metrics.retries.labels("fetch").inc()
        failing = self._failing[error.store]
        failing.add(claim)
        self._health.down(error.store.part, f"{len(failing)} images do not come: {error}")
        level = logging.WARNING if claim.job.attempts == 1 else logging.DEBUG
        _log.log(level, "%s waits: %s", claim.job.record.position, error)

    def _forget(self, claim: _Claim) -> None:
        for store, failing in self._failing.items():
            if claim in failing:
                failing.discard(claim)
                if not failing:
                    self._health.up(store.part)
