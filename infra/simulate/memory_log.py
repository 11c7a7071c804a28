"""The ``gallery`` and ``conditioning`` topics in memory, for one process that lives for one run."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence

from schemas.conditioning import ActiveConditioning
from schemas.gallery import GalleryEntry, Status
from streams.holdings import Change, Erased


class MemoryLog:
    """The log behind the gallery: acknowledges at once, and tells who is enrolled."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._entries: dict[str, GalleryEntry] = {}
        self._enrolled: dict[str, GalleryEntry] = {}
        self._active: Counter[str] = Counter()

    @property
    def enrolled(self) -> Collection[str]:
        """The identities that have an active entry, in the order in which they came."""
        return self._active.keys()

    @property
    def entries(self) -> Collection[GalleryEntry]:
        """The entries as they are now, active and quarantined."""
        return self._entries.values()

    @property
    def enrolments(self) -> Collection[GalleryEntry]:
        """The entries as they were when they came."""
        return self._enrolled.values()

    async def read(self, after: int) -> AsyncIterator[tuple[Change, int]]:
        """Yield the changes with offsets above ``after``."""
        for offset in range(after + 1, len(self._changes)):
            yield self._changes[offset], offset

    async def append(self, changes: Sequence[Change]) -> Sequence[int]:
        """Keep the changes; return their offsets."""
        first = len(self._changes)
        self._changes.extend(changes)
        for change in changes:
            self._count(self._entries.pop(change.entry_id, None), -1)
            if not isinstance(change, Erased):
                self._entries[change.entry_id] = change
                self._enrolled.setdefault(change.entry_id, change)
                self._count(change, 1)
        return range(first, len(self._changes))

    def _count(self, entry: GalleryEntry | None, by: int) -> None:
        if entry is not None and entry.status is Status.ACTIVE:
            self._active[entry.identity] += by
            if not self._active[entry.identity]:
                del self._active[entry.identity]


class OneConditioning:
    """The ``conditioning`` topic with one record, or none."""

    def __init__(self, active: ActiveConditioning | None) -> None:
        self._active = active

    async def last(self) -> ActiveConditioning | None:
        """Return the record."""
        return self._active
