"""The gallery as the gallery agent holds it: the entries of the ``gallery`` topic, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from recognition.impostors import NearestImpostors
from recognition.retain import Held, Removal, RetentionRule, retain
from schemas.gallery import GalleryEntry, Status
from streams.index.base import EVERYWHERE, GalleryState, ShardState

Group = tuple[str, str, str]
"""Model version, cluster and identity: the entries among which retention chooses."""


@dataclass(frozen=True, slots=True)
class Erased:
    """A tombstone: the entry is gone for ever."""

    entry_id: str


Change = GalleryEntry | Erased


class Holdings:
    """All entries, and per shard the distances that set its threshold."""

    def __init__(self, target_fpir: float) -> None:
        self._target_fpir = target_fpir
        self._entries: dict[str, GalleryEntry] = {}
        self._groups: dict[Group, set[str]] = defaultdict(set)
        self._by_identity: dict[str, set[str]] = defaultdict(set)
        self._impostors: dict[tuple[str, str], NearestImpostors] = {}
        self._dimensions: dict[str, int] = {}
        self.position = -1

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[GalleryEntry]:
        return iter(self._entries.values())

    def get(self, entry_id: str) -> GalleryEntry | None:
        """Return the entry, active or quarantined."""
        return self._entries.get(entry_id)

    def dimension(self, model: str) -> int | None:
        """Return the vector size of a model's entries, if there were any."""
        return self._dimensions.get(model)

    def of_identity(self, identity: str) -> list[GalleryEntry]:
        """Return the entries of an identity, active and quarantined, by id."""
        return [self._entries[i] for i in sorted(self._by_identity.get(identity, ()))]

    def groups(self) -> list[Group]:
        """Return the groups that hold active entries."""
        return [group for group, members in self._groups.items() if members]

    def apply(self, change: Change, position: int) -> None:
        """Take over one record of the ``gallery`` topic; a repeat changes nothing."""
        self.position = max(self.position, position)
        entry_id = change.entry_id
        old = self._entries.pop(entry_id, None)
        if old is not None:
            self._by_identity[old.identity].discard(entry_id)
            if old.status is Status.ACTIVE:
                self._deactivate(old)
        if isinstance(change, GalleryEntry):
            self._entries[entry_id] = change
            self._by_identity[change.identity].add(entry_id)
            self._dimensions.setdefault(change.model, change.vector.size)
            if change.status is Status.ACTIVE:
                self._activate(change)

    def to_retire(
        self, groups: Iterable[Group], rule: RetentionRule, now: datetime
    ) -> dict[str, Removal]:
        """Return the active entries that retention removes, with the reason."""
        removals: dict[str, Removal] = {}
        for group in groups:
            members = [self._entries[i] for i in sorted(self._groups.get(group, ()))]
            held = [Held(e.entry_id, e.captured_at, e.vector) for e in members]
            kept = {e.entry_id for e in members if e.kept}
            found = retain(held, rule, now)
            removals |= {entry_id: why for entry_id, why in found.items() if entry_id not in kept}
        return removals

    def state(self, epoch: str) -> GalleryState:
        """Return what the index should say about itself."""
        models: dict[str, dict[str, ShardState]] = defaultdict(dict)
        for (model, cluster), impostors in self._impostors.items():
            if not len(impostors):
                continue  # nothing to search: the index need not even exist
            models[model][cluster] = ShardState(
                entries=len(impostors),
                identities=impostors.identities,
                threshold=impostors.threshold(self._target_fpir),
            )
        return GalleryState(
            epoch=epoch,
            position=self.position,
            models=dict(models),
            dimensions={model: self._dimensions[model] for model in models},
        )

    def _activate(self, entry: GalleryEntry) -> None:
        self._groups[group_of(entry)].add(entry.entry_id)
        for shard in _shards(entry):
            if shard not in self._impostors:
                self._impostors[shard] = NearestImpostors(entry.vector.size)
            self._impostors[shard].add(entry.entry_id, entry.identity, entry.vector)

    def _deactivate(self, entry: GalleryEntry) -> None:
        self._groups[group_of(entry)].discard(entry.entry_id)
        for shard in _shards(entry):
            self._impostors[shard].remove(entry.entry_id)


def group_of(entry: GalleryEntry) -> Group:
    """Return the group within which retention weighs the entry."""
    return entry.model, entry.cluster, entry.identity


def _shards(entry: GalleryEntry) -> tuple[tuple[str, str], tuple[str, str]]:
    return (entry.model, entry.cluster), (entry.model, EVERYWHERE)
