"""The gallery as its topic tells it: how the demo knows that an answer has taught."""

from schemas.gallery import GalleryEntry, Status
from schemas.records import Record


class Gallery:
    """Counts the active entries."""

    def __init__(self) -> None:
        self._identity: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._identity)

    @property
    def identities(self) -> int:
        """How many identities have an active entry."""
        return len(set(self._identity.values()))

    def take(self, record: Record) -> str:
        """Take over one record of the ``gallery`` topic; return the id of its entry."""
        entry_id = (record.key or b"").decode()
        self._identity.pop(entry_id, None)
        if record.value is not None:
            entry = GalleryEntry.read(record)
            if entry.status is Status.ACTIVE:
                self._identity[entry_id] = entry.identity
        return entry_id
