"""The ``gallery`` topic in memory, for one process that lives for one run."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from schemas.gallery import GalleryEntry, Status
from schemas.gallery_fold import GalleryFold
from schemas.gallery_records import Change, Erased
from streams.kafka.term_log import Applied


class MemoryLog:
    """The log behind the gallery, of one owner: acknowledges at once, and tells who is enrolled."""

    def __init__(self) -> None:
        self.fold = GalleryFold()
        self._enrolled: dict[str, GalleryEntry] = {}
        self._active: Counter[str] = Counter()

    @property
    def term(self) -> int | None:
        """The term of the one owner; None before it is claimed."""
        return self.fold.term if self.fold.term else None

    @property
    def enrolled(self) -> Collection[str]:
        """The identities that have an active entry, in the order in which they came."""
        return self._active.keys()

    @property
    def entries(self) -> Collection[GalleryEntry]:
        """The entries as they are now, active and quarantined."""
        return self.fold.entries.values()

    @property
    def enrolments(self) -> Collection[GalleryEntry]:
        """The entries as they were when they came."""
        return self._enrolled.values()

    async def claim(self, may: Callable[[], object], above: int = 0) -> None:
        """Have the next term."""
        may()
        self.fold.term = max(self.fold.term, above) + 1

    async def check(self) -> Applied:
        """Return nothing: nobody else writes."""
        return []

    async def append(self, changes: Sequence[Change]) -> Applied:
        """Keep the changes; return them with their offsets."""
        return [(change, self._keep(change)) for change in changes]

    def _keep(self, change: Change) -> int:
        self._count(self.fold.entries.get(change.entry_id), -1)
        offset = self.fold.position + 1
        self.fold.apply(change, offset)
        if not isinstance(change, Erased):
            self._enrolled.setdefault(change.entry_id, change)
            self._count(change, 1)
        elif change.at is not None:
            self.fold.erasures.mark(change.entry_id, change.at)
        return offset

    def _count(self, entry: GalleryEntry | None, by: int) -> None:
        if entry is not None and entry.status is Status.ACTIVE:
            self._active[entry.identity] += by
            if not self._active[entry.identity]:
                del self._active[entry.identity]
