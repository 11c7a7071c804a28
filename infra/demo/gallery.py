"""The gallery as its topic tells it: how the demo knows that an answer has taught."""

from schemas.gallery import Status
from schemas.gallery_fold import GalleryFold
from schemas.records import Record


class Gallery:
    """Counts the active entries."""

    def __init__(self) -> None:
        self._fold = GalleryFold()
        self._identity: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._identity)

    @property
    def identities(self) -> int:
        """How many identities have an active entry."""
        return len(set(self._identity.values()))

    def take(self, record: Record) -> str | None:
        """Take over one record of the ``gallery`` topic; return the id of the entry it changes."""
        change = self._fold.take(record)
        if change is None:
            return None
        self._identity.pop(change.entry_id, None)
        entry = self._fold.entries.get(change.entry_id)
        if entry is not None and entry.status is Status.ACTIVE:
            self._identity[entry.entry_id] = entry.identity
        return change.entry_id
