"""What a gallery command changes: pure functions from the holdings to the next entries."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recognition.cluster import UNCLUSTERED, cluster_of
from schemas.embedding import TOLERANCE
from schemas.errors import BadInput
from schemas.event import now
from schemas.gallery import (
    Enrol,
    Erase,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from schemas.gallery_records import Change, Erased
from streams.holdings import Holdings


@dataclass(frozen=True, slots=True)
class Planner:
    """Turns commands into changes. A command that is repeated plans nothing."""

    shard_by: tuple[str, ...]

    def plan(self, command: GalleryCommand, holdings: Holdings) -> list[Change]:
        """Return the changes that carry out the command.

        Raises:
            BadInput: ``bad_vector`` for a vector of another size than its model's,
                ``unknown_entry`` when it names entries that the identity does not have.
        """
        action = command.action
        if isinstance(action, Enrol):
            return self._enrol(command, action, holdings)
        entries = _named(command, action, holdings)
        if isinstance(action, Erase):
            return [Erased(entry.entry_id, command.decided_at) for entry in entries]
        if isinstance(action, Move):
            changed: dict[str, object] = {"identity": action.to}
        elif isinstance(action, Quarantine):
            changed = {"status": Status.QUARANTINED, "kept": False}
        else:
            changed = {"status": Status.ACTIVE, "kept": True}
        return [_changed(entry, command, changed) for entry in entries if _differs(entry, changed)]

    def _enrol(self, command: GalleryCommand, action: Enrol, holdings: Holdings) -> list[Change]:
        present = holdings.get(action.entry_id)
        if present is not None and present.identity == command.identity:
            return []
        size = holdings.dimension(action.model)
        if size not in (None, action.vector.size):
            message = f"{action.vector.size} numbers; entries of {action.model} have {size}"
            raise BadInput("bad_vector", message)
        norm = float(np.linalg.norm(action.vector.astype(np.float64)))
        if abs(norm - 1) > TOLERANCE:
            raise BadInput("bad_vector", f"norm {norm:.4g}; an entry has norm 1")
        cluster = cluster_of(action.background, self.shard_by)
        entry = GalleryEntry(
            entry_id=action.entry_id,
            identity=command.identity,
            model=action.model,
            cluster=UNCLUSTERED if cluster is None else cluster,
            background=action.background,
            source=action.source,
            captured_at=action.captured_at,
            vector=action.vector,
            actor=command.actor,
            reason=command.reason,
        )
        return [entry]


def _named(
    command: GalleryCommand, action: Quarantine | Restore | Move | Erase, holdings: Holdings
) -> list[GalleryEntry]:
    """Return the entries that the command is about; those of an earlier repeat are passed over."""
    entries = holdings.of_identity(command.identity)
    if not action.entry_ids:
        return entries
    found = {entry.entry_id for entry in entries}
    if isinstance(action, Move):
        found |= {entry.entry_id for entry in holdings.of_identity(action.to)}
    unknown = set(action.entry_ids) - found
    if unknown and not isinstance(action, Erase):
        message = f"{command.identity!r} has no entry {min(unknown)!r}"
        raise BadInput("unknown_entry", message)
    return [entry for entry in entries if entry.entry_id in action.entry_ids]


def _differs(entry: GalleryEntry, changed: Mapping[str, object]) -> bool:
    if "status" in changed:
        return entry.status is not changed["status"]
    return entry.identity != changed["identity"]


def _changed(
    entry: GalleryEntry, command: GalleryCommand, changed: Mapping[str, object]
) -> GalleryEntry:
    who = {"actor": command.actor, "reason": command.reason, "changed_at": now()}
    return entry.model_copy(update={**changed, **who})
