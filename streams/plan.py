"""What a gallery command changes: pure functions from the holdings to the next entries."""

from collections.abc import Sequence
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
    Status,
)
from streams.holdings import Change, Erased, Holdings


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
        entries = _named(command, action.entry_ids, holdings)
        if isinstance(action, Erase):
            return [Erased(entry.entry_id) for entry in entries]
        if isinstance(action, Move):
            return [_changed(e, command, identity=action.to) for e in entries]
        status = Status.QUARANTINED if isinstance(action, Quarantine) else Status.ACTIVE
        return [_changed(e, command, status=status) for e in entries if e.status is not status]

    def _enrol(self, command: GalleryCommand, action: Enrol, holdings: Holdings) -> list[Change]:
        present = holdings.get(action.entry_id)
        if present is not None and present.identity == command.identity:
            return []
        size = holdings.dimension(action.model)
        if size not in (None, action.vector.size):
            message = f"{action.vector.size} numbers; entries of {action.model} have {size}"
            raise BadInput("bad_vector", message)
        norm = float(np.linalg.norm(action.vector))
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
    command: GalleryCommand, entry_ids: Sequence[str], holdings: Holdings
) -> list[GalleryEntry]:
    entries = holdings.of_identity(command.identity)
    if not entry_ids:
        return entries
    unknown = set(entry_ids) - {entry.entry_id for entry in entries}
    if unknown:
        message = f"{command.identity!r} has no entry {min(unknown)!r}"
        raise BadInput("unknown_entry", message)
    return [entry for entry in entries if entry.entry_id in entry_ids]


def _changed(
    entry: GalleryEntry,
    command: GalleryCommand,
    *,
    identity: str | None = None,
    status: Status | None = None,
) -> GalleryEntry:
    return entry.model_copy(
        update={
            "identity": entry.identity if identity is None else identity,
            "status": entry.status if status is None else status,
            "actor": command.actor,
            "reason": command.reason,
            "changed_at": now(),
        }
    )
