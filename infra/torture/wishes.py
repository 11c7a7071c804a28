"""What somebody may want of the entries of one motif: pure, from what they are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infra.torture.history import EntryState
from schemas.gallery import Action, Erase, Move, Quarantine, Restore

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
        rng: decides.
        entries: of the motif.
        name: what the motif is called.
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
