"""Whether the gallery is ours to write: the group says so, and a term of its log is ours."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Protocol

from schemas.errors import DependencyDown
from schemas.gallery import Change
from schemas.gallery_fold import GalleryFold
from streams.kafka.term_log import Applied

YIELD_S = 15.0
"""How long a process that was overruled claims nothing: by then the group has told who owns it."""

log = logging.getLogger(__name__)


class GalleryLog(Protocol):
    """The ``gallery`` topic; see :class:`streams.kafka.term_log.TermLog` for the promises."""

    fold: GalleryFold
    """What the topic says, as far as it was read."""

    @property
    def term(self) -> int | None:
        """The term that is ours to write under; None where none is."""
        ...

    async def claim(self, may: Callable[[], object], above: int = 0) -> None:
        """Read the topic from its beginning, and make the next term ours while ``may`` lets us."""
        ...

    async def check(self) -> Applied:
        """Read on to the present end; return what changed."""
        ...

    async def append(self, changes: Sequence[Change]) -> Applied:
        """Put changes on the topic; return what they changed, read back from there."""
        ...


class Tenure:
    """One process's right to write the gallery, as it comes and goes.

    Args:
        written: returns the highest term that the index was written in. It can be above all that
            the log tells of, where the log was made anew or put back from a backup.
        ownership: names the present ownership of the command partition, ``None`` without it.
    """

    def __init__(
        self,
        gallery_log: GalleryLog,
        written: Callable[[], Awaitable[int]],
        ownership: Callable[[], int | None],
    ) -> None:
        self._log = gallery_log
        self._written = written
        self._ownership = ownership
        self._owned_as: int | None = None
        self._overruled: tuple[int | None, float] = (None, 0.0)

    @property
    def owned(self) -> bool:
        """Whether the consumer group says that we may write."""
        return self._ownership() is not None

    @property
    def fold(self) -> GalleryFold:
        """What the topic says."""
        return self._log.fold

    def check(self) -> int:
        """Return the term that we may write under.

        Raises:
            DependencyDown: there is none.
        """
        self._check_owned()
        term = self._log.term
        if term is None:
            raise not_ours()
        return term

    async def renew(self) -> Applied | None:
        """Make sure of a term; return what changed on the topic, None where all was read anew.

        Raises:
            DependencyDown: the gallery is not ours, or its topic cannot be read or written now.
            SetupError: an earlier version wrote the topic, or its first records were deleted.
        """
        self._check_owned()
        here = self._ownership()
        if self._log.term is not None:
            applied = [] if here == self._owned_as else await self._read_on()
            if applied is not None:
                self._owned_as = here
                return applied
        await self._claim(here)
        self._owned_as = here
        return None

    async def append(self, changes: Sequence[Change]) -> Applied:
        """Put changes on the topic; return what they, and others, changed.

        Raises:
            DependencyDown: the gallery is not, or no longer, ours.
        """
        self.check()
        try:
            return await self._log.append(changes)
        finally:
            if self._log.term is None:
                # Who claimed it is the owner. If the group goes on to say that we are, that claim
                # was the last act of an owner before us.
                self._overruled = (self._owned_as, monotonic() + YIELD_S)

    async def _read_on(self) -> Applied | None:
        """Return what changed since another may have owned the gallery; None if one claimed it."""
        try:
            return await self._log.check()
        except DependencyDown:
            if self._log.term is not None:
                raise
            return None

    async def _claim(self, here: int | None) -> None:
        overruled_as, until = self._overruled
        if here == overruled_as and monotonic() < until:
            raise DependencyDown("gallery", "another process has just claimed it")
        await self._log.claim(self._check_owned, await self._written())
        log.info("gallery read up to %s; term %s is ours", self.fold.position, self._log.term)

    def _check_owned(self) -> None:
        if not self.owned:
            raise not_ours()


def not_ours() -> DependencyDown:
    """Return what to raise where another process owns the gallery."""
    return DependencyDown("kafka", "the partition of the gallery commands was taken away")
