"""Reads the gallery where its truth lies: the compacted ``gallery`` topic."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from client.kafka import reader
from schemas.gallery import GalleryEntry, Status
from schemas.gallery_fold import GalleryFold
from schemas.settings import Settings
from schemas.topics import GALLERY

Entries = dict[str, GalleryEntry]


async def read_gallery(settings: Settings) -> Entries:
    """Return the entries by id as they stand now; the erased ones are not among them.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: there is no gallery topic, or an earlier version wrote it.
    """
    fold = GalleryFold()
    async with reader(settings, GALLERY, from_beginning=True) as log:
        async for record in log.to_end():
            fold.take(record)
    for record, error in fold.unreadable.values():
        logging.getLogger(__name__).warning("%s passed over: %s", record.position, error)
    return fold.entries


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
