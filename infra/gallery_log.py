"""Reads the gallery where its truth lies: the compacted ``gallery`` topic."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from infra.kafka import reader
from schemas.gallery import GalleryEntry, Status
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY

Entries = dict[str, GalleryEntry]


async def read_gallery(settings: Settings) -> Entries:
    """Return the entries by id as they stand now; the erased ones are not among them.

    Raises:
        BadInput: an entry cannot be read by this version.
        DependencyDown: the broker does not answer.
        SetupError: there is no gallery topic.
    """
    entries: Entries = {}
    async with reader(settings, GALLERY, from_beginning=True) as log:
        async for record in log.to_end():
            apply(entries, record)
    return entries


def apply(entries: Entries, record: Record) -> None:
    """Bring ``entries`` up to date with one more record; a tombstone removes its entry."""
    entry_id = "" if record.key is None else record.key.decode()
    if record.value is None:
        entries.pop(entry_id, None)
    else:
        entries[entry_id] = GalleryEntry.read(record)


def statistics(entries: Mapping[str, GalleryEntry]) -> dict[str, Any]:
    """Return how many entries and identities there are, by status, cluster and model."""
    active = [entry for entry in entries.values() if entry.status is Status.ACTIVE]
    return {
        "identities": len({entry.identity for entry in active}),
        "active": len(active),
        "quarantined": len(entries) - len(active),
        "clusters": _counted(entry.cluster for entry in active),
        "models": _counted(entry.model for entry in active),
        "quarantine_reasons": _counted(
            entry.reason for entry in entries.values() if entry.status is Status.QUARANTINED
        ),
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
