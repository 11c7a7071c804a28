"""The gallery as its compacted topic, its truth, says; and how a change of it is asked for."""

import difflib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from client.names import full_name
from client.producer import producer
from client.reader import records_of
from schemas.errors import SetupError
from schemas.gallery import Enrol, GalleryCommand, GalleryEntry, Status
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY, GALLERY_COMMANDS

Entries = dict[str, GalleryEntry]

_TICK = timedelta(microseconds=1)


class Gallery:
    """What the ``gallery`` topic says; its length is the number of active entries.

    Attributes:
        entries: by id, those in quarantine too; the erased ones are not among them.
        since: the first offset at which an identity is named; on a compacted topic the first one
            that is left.
    """

    def __init__(
        self, entries: Entries | None = None, since: Mapping[str, int] | None = None
    ) -> None:
        """Begin with what is known already; the records taken come on top of it."""
        self.entries: Entries = {} if entries is None else entries
        self.since: dict[str, int] = {} if since is None else dict(since)
        self._fold = GalleryFold()
        self._fold.entries = self.entries

    def __len__(self) -> int:
        return len(self.active)

    @property
    def active(self) -> list[GalleryEntry]:
        """The entries that are matched."""
        return [entry for entry in self.entries.values() if entry.status is Status.ACTIVE]

    @property
    def identities(self) -> int:
        """How many identities have an active entry."""
        return len({entry.identity for entry in self.active})

    def take(self, record: Record) -> str | None:
        """Take over one more record; return the id of the entry that it changes."""
        change = self._fold.take(record)
        if isinstance(change, GalleryEntry):
            self.since.setdefault(change.identity, record.offset)
        return None if change is None else change.entry_id

    @property
    def unreadable(self) -> list[str]:
        """Why a record was passed over, for each one whose key has no newer one."""
        passed = self._fold.unreadable.values()
        return [f"{record.position} passed over: {error}" for record, error in passed]


async def read_gallery(settings: Settings) -> Gallery:
    """Read the topic to its end.

    Raises:
        SetupError: there is no gallery topic, or an earlier version wrote it.
    """
    gallery = Gallery()
    async for record in records_of(settings, GALLERY):
        gallery.take(record)
    for problem in gallery.unreadable:
        logging.getLogger(__name__).warning(problem)
    return gallery


async def request_change(settings: Settings, command: GalleryCommand) -> None:
    """Send a command, whose identity and entries are looked up in the gallery first.

    Raises:
        SetupError: there is no such identity or entry, or its name stands for several.
    """
    gallery = await read_gallery(settings)
    command = resolve(gallery.entries, command)
    async with producer(settings, GALLERY_COMMANDS) as broker:
        await broker.send(command.record(settings.topic(GALLERY_COMMANDS)))


def resolve(entries: Entries, command: GalleryCommand) -> GalleryCommand:
    """Return the command with the whole names of its entries, decided after all that is seen.

    Raises:
        SetupError: there is no such identity or entry, or its name stands for several.
    """
    known = Counter(entry.identity for entry in entries.values())
    if command.identity not in known:
        near = difflib.get_close_matches(command.identity, known, n=3)
        meant = f"; did you mean {', '.join(near)}?" if near else ""
        raise SetupError(
            f"no identity {command.identity!r} among the {len(known)} in the gallery{meant}"
        )
    if isinstance(command.action, Enrol):
        return command
    own = {name for name, entry in entries.items() if entry.identity == command.identity}
    what = f"entry of {command.identity}"
    named = tuple(full_name(given, own, what) for given in command.action.entry_ids)
    action = command.action.model_copy(update={"entry_ids": named})
    seen = (entries[name].decided_at + _TICK for name in own)
    # Somebody else's clock may be ahead of ours; what we decide on seeing that comes after it.
    decided_at = max(command.decided_at, *seen)
    return command.model_copy(update={"action": action, "decided_at": decided_at})


def statistics(gallery: Gallery) -> dict[str, Any]:
    """Return how many entries and identities there are, by status, cluster and model."""
    active = gallery.active
    return {
        "identities": gallery.identities,
        "active": len(active),
        "quarantined": len(gallery.entries) - len(active),
        "clusters": _counted(entry.cluster for entry in active),
        "models": _counted(entry.model for entry in active),
        "quarantine_reasons": _counted(
            entry.reason for entry in gallery.entries.values() if entry.status is Status.QUARANTINED
        ),
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())
