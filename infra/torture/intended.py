"""What the gallery must hold: decisions and commands replayed by other code than the agent's."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from infra.torture.history import EntryState


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

    def moved(self, entry_ids: Collection[str], to: str) -> None:
        """These entries have another identity."""
        for entry_id in entry_ids:
            self._change(entry_id, EntryState(to, self.entries[entry_id].held.active))

    def matched(self, entry_ids: Collection[str], *, active: bool) -> None:
        """These entries went into quarantine, or came back."""
        for entry_id in entry_ids:
            self._change(entry_id, EntryState(self.entries[entry_id].held.identity, active))

    def forgotten(self, entry_ids: Collection[str]) -> None:
        """These entries are erased for ever."""
        for entry_id in entry_ids:
            del self.entries[entry_id]
            self.erased.add(entry_id)

    def knows(self, entry_id: str) -> bool:
        """Whether anything was ever decided about it."""
        return entry_id in self.entries or entry_id in self.erased

    def of_motif(self, motif: int) -> dict[str, EntryState]:
        """Return its entries."""
        return {i: wanted.held for i, wanted in self.entries.items() if wanted.motif == motif}

    def differences(self, found: Mapping[str, EntryState], motif: int | None = None) -> list[str]:
        """Return how a gallery departs from what was decided, of one motif or of all, in words."""
        wanted = {i: w.held for i, w in self.entries.items() if motif in (None, w.motif)}
        gone = wanted.keys() - found.keys()
        missing = [f"{i} is missing; decided: {_words(wanted[i])}" for i in gone]
        other = [
            f"{i} is {_words(found[i])}; decided: {_words(held)}"
            for i, held in wanted.items()
            if i in found and found[i] != held
        ]
        extra = [] if motif is not None else self._extra(found)
        return sorted(missing) + sorted(other) + sorted(extra)

    def _extra(self, found: Mapping[str, EntryState]) -> list[str]:
        return [
            f"{i} is {_words(held)}; decided: {'erased' if i in self.erased else 'nothing'}"
            for i, held in found.items()
            if i not in self.entries
        ]

    def _change(self, entry_id: str, held: EntryState) -> None:
        self.entries[entry_id] = replace(self.entries[entry_id], held=held)


def _words(held: EntryState) -> str:
    return f"{held.identity} ({'active' if held.active else 'quarantined'})"
