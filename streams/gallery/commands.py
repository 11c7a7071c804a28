"""What a gallery command changes: pure functions from the holdings to the next entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from reprlib import repr as short

import numpy as np

from recognition.cluster import cluster_of
from schemas.embedding import TOLERANCE
from schemas.errors import BadInput
from schemas.event import now
from schemas.gallery import (
    Change,
    Enrol,
    Erase,
    Erased,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from schemas.limits import MAX_CLUSTERS
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


MAX_AHEAD = timedelta(minutes=10)
"""How far a decision may lie in the future of this machine's clock. What is decided later than
everything to come could never be changed again, nor erased."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Turns commands into changes. A command that is repeated plans nothing, however late.

    Attributes:
        shard_by: variables whose values make the clusters.
        max_clusters: how many they may make: each is an index of its own.
    """

    shard_by: tuple[str, ...]
    max_clusters: int = MAX_CLUSTERS

    def plan(self, command: GalleryCommand, holdings: Holdings) -> list[Change]:
        """Return the changes that carry out the command.

        Entries that a later decision has changed are left as they are.

        Raises:
            BadInput: ``bad_time`` for a decision of the future, ``bad_vector`` for a vector of
                another size than its model's, ``too_many_clusters`` when the entry would make one
                more than allowed, ``unknown_entry`` when it names entries that the identity does
                not have.
        """
        if command.decided_at > now() + MAX_AHEAD:
            message = f"decided at {command.decided_at.isoformat()}, which is yet to come"
            raise BadInput("bad_time", f"{message}: does a clock go wrong?")
        action = command.action
        if isinstance(action, Enrol):
            return self._enrol(command, action, holdings)
        entries = _named(command, action, holdings)
        if isinstance(action, Erase):
            return _erased(command, action, entries, holdings)
        if isinstance(action, Move):
            changed: dict[str, object] = {"identity": action.to}
        elif isinstance(action, Quarantine):
            changed = {"status": Status.QUARANTINED, "kept": False}
        else:
            changed = {"status": Status.ACTIVE, "kept": True}
        differing = [entry for entry in entries if _differs(entry, changed)]
        if isinstance(action, Restore):
            _check_sizes(differing, holdings)
        return [_changed(entry, command, changed) for entry in differing]

    def _enrol(self, command: GalleryCommand, action: Enrol, holdings: Holdings) -> list[Change]:
        present = holdings.get(action.entry_id)
        if present is not None and present.identity == command.identity:
            return []
        if overtaken_by(command, action.entry_id, holdings):
            return []
        norm = float(np.linalg.norm(action.vector.astype(np.float64)))
        if abs(norm - 1) > TOLERANCE:
            raise BadInput("bad_vector", f"norm {norm:.4g}; an entry has norm 1")
        cluster = cluster_of(action.background, self.shard_by)
        held = holdings.clusters
        if cluster not in held and len(held) >= self.max_clusters:
            message = f"cluster {short(cluster)} would be one more than {self.max_clusters}"
            raise BadInput("too_many_clusters", f"{message} (PERENNIAL_MAX_CLUSTERS)")
        entry = GalleryEntry(
            entry_id=action.entry_id,
            identity=command.identity,
            model=action.model,
            cluster=cluster,
            background=action.background,
            source=action.source,
            captured_at=action.captured_at,
            vector=action.vector,
            quality=action.quality,
            actor=command.actor,
            reason=command.reason,
            decided_at=command.decided_at,
        )
        return [*_out_of_the_way(entry, holdings), entry]


def _named(
    command: GalleryCommand, action: Quarantine | Restore | Move | Erase, holdings: Holdings
) -> list[GalleryEntry]:
    """Return the entries that the command may change; those of a repeat are passed over."""
    held = holdings.of_identity(command.identity)
    named = {entry.entry_id for entry in held} if not action.entry_ids else {*action.entry_ids}
    free = {entry_id for entry_id in named if not overtaken_by(command, entry_id, holdings)}
    present = {entry.entry_id for entry in held}
    if isinstance(action, Move):
        present |= {entry.entry_id for entry in holdings.of_identity(action.to)}
    unknown = free - present
    if unknown and not isinstance(action, Erase):
        message = f"{command.identity!r} has no entry {min(unknown)!r}"
        raise BadInput("unknown_entry", message)
    return [entry for entry in held if entry.entry_id in free]


def _erased(
    command: GalleryCommand, action: Erase, entries: list[GalleryEntry], holdings: Holdings
) -> list[Change]:
    """Return what goes. What is named and not there is marked: its enrolment may be on its way."""
    there = [entry.entry_id for entry in entries]
    to_come = (
        entry_id
        for entry_id in action.entry_ids
        if holdings.get(entry_id) is None and not overtaken_by(command, entry_id, holdings)
    )
    return [Erased(entry_id, command.decided_at) for entry_id in dict.fromkeys((*there, *to_come))]


def _out_of_the_way(entry: GalleryEntry, holdings: Holdings) -> list[Change]:
    """Return what must leave so that an entry of this size can enter: one that stands alone."""
    size, wanted = entry.vector.size, holdings.dimension(entry.model)
    if wanted in (None, size):
        return []
    alone = holdings.only_one(entry.model)
    if alone is None:
        message = f"{size} numbers; entries of {entry.model} have {wanted}"
        raise BadInput("bad_vector", message)
    if alone.entry_id == entry.entry_id:
        return []
    why = f"it has {wanted} numbers, and {entry.entry_id} of the same model has {size}"
    provenance = {"actor": "gallery", "reason": why, "changed_at": now()}
    return [alone.model_copy(update={"status": Status.QUARANTINED, **provenance})]


def _check_sizes(entries: list[GalleryEntry], holdings: Holdings) -> None:
    """Refuse to make entries active that cannot be compared with those that are."""
    sizes: dict[str, int] = {}
    for entry in entries:
        held = holdings.dimension(entry.model)
        wanted = sizes.setdefault(entry.model, entry.vector.size if held is None else held)
        if entry.vector.size != wanted:
            message = f"{entry.entry_id} has {entry.vector.size} numbers; active entries of "
            raise BadInput("bad_vector", f"{message}{entry.model} have {wanted}")


def _differs(entry: GalleryEntry, changed: Mapping[str, object]) -> bool:
    if "status" in changed:
        return entry.status is not changed["status"]
    return entry.identity != changed["identity"]


def _changed(
    entry: GalleryEntry, command: GalleryCommand, changed: Mapping[str, object]
) -> GalleryEntry:
    who = {"actor": command.actor, "reason": command.reason, "changed_at": now()}
    return entry.model_copy(update={**changed, **who, "decided_at": command.decided_at})
