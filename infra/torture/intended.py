"""What people decide, and what the gallery must hold: replayed by other code than the agent's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from infra.torture.history import EntryState
from schemas.gallery import Action, Erase, Move, Quarantine, Restore


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry as the last word about it wants it."""

    motif: int
    held: EntryState


class Intended:
    """Takes what the broker has acknowledged, in the order in which it was decided."""

    def __init__(self) -> None:
        self.entries: dict[str, Wanted] = {}
        self.erased: set[str] = set()

    def answered(self, entry_id: str, motif: int, identity: str) -> None:
        """A person named this one."""
        self.entries[entry_id] = Wanted(motif, EntryState(identity, active=True))

    def wished(self, wish: "Wish") -> None:
        """Somebody asked for this."""
        for entry_id in wish.entry_ids:
            wanted = self.entries[entry_id]
            if wish.action.action == "erase":
                del self.entries[entry_id]
                self.erased.add(entry_id)
                continue
            identity, active = wish.to, wanted.held.active
            if identity is None:
                identity, active = wanted.held.identity, wish.action.action == "restore"
            self.entries[entry_id] = replace(wanted, held=EntryState(identity, active))

    def knows(self, entry_id: str) -> bool:
        """Whether anything was ever decided about it."""
        return entry_id in self.entries or entry_id in self.erased

    def of_motif(self, motif: int) -> dict[str, EntryState]:
        """Return its entries."""
        return {i: wanted.held for i, wanted in self.entries.items() if wanted.motif == motif}

    def differences(
        self, held_now: Mapping[str, EntryState], motif: int | None = None
    ) -> list[str]:
        """Return how a gallery departs from what was decided, of one motif or of all, in words."""
        wanted = {i: w.held for i, w in self.entries.items() if motif in (None, w.motif)}
        gone = wanted.keys() - held_now.keys()
        missing = [f"{i} is missing; decided: {_words(wanted[i])}" for i in gone]
        other = [
            f"{i} is {_words(held_now[i])}; decided: {_words(held)}"
            for i, held in wanted.items()
            if i in held_now and held_now[i] != held
        ]
        extra = [] if motif is not None else self._extra(held_now)
        return sorted(missing) + sorted(other) + sorted(extra)

    def _extra(self, held_now: Mapping[str, EntryState]) -> list[str]:
        return [
            f"{i} is {_words(held)}; decided: {'erased' if i in self.erased else 'nothing'}"
            for i, held in held_now.items()
            if i not in self.entries
        ]


def _words(held: EntryState) -> str:
    return f"{held.identity} ({'active' if held.active else 'quarantined'})"


FEW = 3
"""Fewer entries than these are left alone."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One command, and what it must do.

    Attributes:
        identity: whose entries it is about.
        entry_ids: the entries that it changes.
        to: the identity that they get, if any.
        renamed_to: what the motif is called from now on, if that changes.
    """

    identity: str
    action: Action
    entry_ids: tuple[str, ...]
    to: str | None = None
    renamed_to: str | None = None


def wish(
    rng: np.random.Generator, entries: Mapping[str, EntryState], name: str, fresh: str
) -> Wish | None:
    """Return a random command; None where the entries are too few to tell anything.

    Args:
        fresh: makes new names that were never used.
    """
    if len(entries) < FEW:
        return None
    names = Counter(state.identity for state in entries.values())
    if len(names) > 1:
        return _join(entries, name, next(other for other in names if other != name))
    chosen = tuple(sorted(rng.choice(sorted(entries), int(rng.integers(1, FEW)), replace=False)))
    quarantined = tuple(sorted(i for i, state in entries.items() if not state.active))
    kind = rng.choice(["rename", "split", "quarantine", "erase"])
    if quarantined and rng.random() < 0.5:
        return Wish(name, Restore(entry_ids=quarantined), quarantined)
    if kind == "rename":
        to = f"motif {fresh}"
        return Wish(name, Move(action="rename", to=to), tuple(entries), to, renamed_to=to)
    if kind == "split":
        to = f"part {fresh}"
        return Wish(name, Move(action="split", to=to, entry_ids=chosen), chosen, to)
    if kind == "quarantine":
        return Wish(name, Quarantine(entry_ids=chosen), chosen)
    return Wish(name, Erase(entry_ids=chosen), chosen)


def _join(entries: Mapping[str, EntryState], name: str, other: str) -> Wish:
    """Merge what was split off back into the motif."""
    moved = tuple(i for i, state in entries.items() if state.identity == other)
    return Wish(other, Move(action="merge", to=name), moved, name)
