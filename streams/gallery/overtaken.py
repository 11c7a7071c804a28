"""Whether a command comes too late: a repeat of long ago must not undo what was decided since."""

from enum import StrEnum

from schemas.gallery import Enrol, GalleryCommand
from streams.gallery.holdings import Holdings


class Overtaken(StrEnum):
    """By what a command was overtaken, for one entry."""

    CHANGED = "changed"
    ERASED = "erased"


def overtaken_by(command: GalleryCommand, entry_id: str, holdings: Holdings) -> Overtaken | None:
    """Return what was decided of an entry at the same instant or later, if anything was."""
    entry = holdings.get(entry_id)
    if entry is not None:
        return Overtaken.CHANGED if command.decided_at <= entry.decided_at else None
    erased_at = holdings.erasures.at(entry_id)
    return Overtaken.ERASED if erased_at is not None and command.decided_at <= erased_at else None


def overtaken(command: GalleryCommand, holdings: Holdings) -> dict[str, Overtaken]:
    """Return the entries that the command would change, had no other decision come in between.

    An entry that the command itself has changed before is not among them.
    """
    action = command.action
    named = (action.entry_id,) if isinstance(action, Enrol) else action.entry_ids
    ids = named or tuple(e.entry_id for e in holdings.of_identity(command.identity))
    late = {}
    for entry_id in ids:
        entry, erased_at = holdings.get(entry_id), holdings.erasures.at(entry_id)
        by = overtaken_by(command, entry_id, holdings)
        same = (erased_at if entry is None else entry.decided_at) == command.decided_at
        if by is not None and not same:
            late[entry_id] = by
    return late
