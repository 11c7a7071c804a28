"""The gallery under one placement: where each entry lies, and what is true of the shards.

Entries are taken in at once, and placed later, many together: that is much cheaper.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from recognition.cluster import UNCLUSTERED
from schemas.conditioning import ArtefactRef
from schemas.gallery import GalleryEntry, Status
from streams.conditioning.placed import PlacedEmbedding
from streams.conditioning.placement import Placement
from streams.gallery.impostors import ModelThresholds
from streams.gallery.placed_entry import Group, PlacedEntry
from streams.gallery.shard_states import ShardStates
from streams.index.base import GalleryState, IndexEntry, IndexKey


class PlacedGallery:
    """All entries, the quarantined ones too, under one placement.

    Args:
        active: the conditioning that the placement is by, as the index names it.
        target_fpir: what the thresholds of plain models keep.

    Attributes:
        fpir: what is asked for: by the conditioning, or else of plain models.
    """

    def __init__(
        self, placement: Placement, active: ArtefactRef | None, target_fpir: float
    ) -> None:
        self.placement = placement
        self.active = active
        artefact = placement.artefact
        self.fpir = target_fpir if artefact is None else artefact.fpir
        self.counts: Counter[tuple[str, Status]] = Counter()
        self._shards = ShardStates(artefact, target_fpir)
        self._waiting: dict[str, GalleryEntry] = {}
        self._placed: dict[str, PlacedEntry] = {}
        self._groups: defaultdict[Group, set[str]] = defaultdict(set)

    def put(self, entry: GalleryEntry) -> None:
        """Take an entry in, in place of the one with its id."""
        old = self._placed.get(entry.entry_id)
        self.drop(entry.entry_id)
        if old is not None and _lie_alike(old.entry, entry):
            self._add(PlacedEntry(entry, old.placed))
        else:
            self._waiting[entry.entry_id] = entry

    def drop(self, entry_id: str) -> None:
        """Let go of an entry, if it is here."""
        self._waiting.pop(entry_id, None)
        old = self._placed.pop(entry_id, None)
        if old is None:
            return
        self.counts[old.placed.cluster, old.entry.status] -= 1
        if old.active:
            self._shards.remove(old.entry.model, old)
            self._groups[old.group].discard(entry_id)

    def settle(self, most: int | None = None) -> bool:
        """Place entries that wait, so many at most, and update the thresholds: the costly part.

        Returns whether any still waits.

        Raises:
            ValueError: an entry is not of its model's dimension.
        """
        alike: dict[tuple[str, int], list[GalleryEntry]] = defaultdict(list)
        for entry in islice(self._waiting.values(), most):
            alike[entry.model, entry.vector.size].append(entry)
        for entries in alike.values():
            for entry, placed in zip(entries, self._place(entries), strict=True):
                self._add(PlacedEntry(entry, placed))
                del self._waiting[entry.entry_id]
        self._shards.update_thresholds()
        return bool(self._waiting)

    def entry(self, entry_id: str) -> IndexEntry | None:
        """Return an active entry as the index holds it."""
        self.settle()
        held = self._placed.get(entry_id)
        if held is None or not held.active:
            return None
        return IndexEntry(
            entry_id=entry_id,
            identity=held.identity,
            space=self.placement.space(held.entry.model),
            cluster=held.placed.cluster,
            vector=held.placed.vector,
            scale=held.placed.scale,
        )

    def active_ids(self) -> list[str]:
        """Return the ids of all active entries."""
        self.settle()
        return [entry_id for entry_id, held in self._placed.items() if held.active]

    def entries(self) -> Iterator[IndexEntry]:
        """Yield all active entries as the index holds them."""
        self.settle()
        for entry_id in self._placed:
            entry = self.entry(entry_id)
            if entry is not None:
                yield entry

    def index_key(self, entry_id: str) -> IndexKey | None:
        """Return where the index holds an active entry."""
        entry = self.entry(entry_id)
        return None if entry is None else IndexKey(entry_id, entry.space, entry.cluster)

    def groups(self) -> list[Group]:
        """Return the groups that hold active entries."""
        self.settle()
        return [group for group, members in self._groups.items() if members]

    def groups_of(self, entry_ids: Iterable[str]) -> set[Group]:
        """Return the groups of those of these entries that are here."""
        self.settle()
        return {self._placed[entry_id].group for entry_id in entry_ids if entry_id in self._placed}

    def members(self, group: Group) -> list[PlacedEntry]:
        """Return the active entries of a group, by id."""
        self.settle()
        return [self._placed[entry_id] for entry_id in sorted(self._groups.get(group, ()))]

    def thresholds_of(self, model: str) -> ModelThresholds:
        """Return the thresholds of a model's entries; they are those that :meth:`state` tells."""
        self.settle()
        return self._shards.of_model(model)

    def state(self, epoch: str, position: int, dimensions: dict[str, int]) -> GalleryState:
        """Return what the index should say of itself."""
        self.settle()
        models = self._shards.shards()
        artefact = self.placement.artefact
        fitted = {} if artefact is None else {artefact.model: artefact.dimension}
        return GalleryState(
            epoch=epoch,
            position=position,
            models=models,
            dimensions={model: dimensions[model] for model in models} | fitted,
            conditioning=self.active,
            thresholds=self._shards.thresholds(),
        )

    def _place(self, entries: list[GalleryEntry]) -> list[PlacedEmbedding]:
        """Place entries of one model and size."""
        model, size = entries[0].model, entries[0].vector.size
        if self.placement.dimension(model) not in (None, size) and not any(map(_active, entries)):
            # In quarantine for its size, perhaps: it is counted, and never compared.
            return [PlacedEmbedding(UNCLUSTERED, entry.vector) for entry in entries]
        vectors = [entry.vector for entry in entries]
        backgrounds = [entry.background for entry in entries]
        return self.placement.place_all(model, vectors, backgrounds)

    def _add(self, held: PlacedEntry) -> None:
        self._placed[held.entry_id] = held
        self.counts[held.placed.cluster, held.entry.status] += 1
        if held.active:
            self._shards.add(held.entry.model, held)
            self._groups[held.group].add(held.entry_id)


def _active(entry: GalleryEntry) -> bool:
    return entry.status is Status.ACTIVE


def _lie_alike(one: GalleryEntry, other: GalleryEntry) -> bool:
    return (
        one.model == other.model
        and one.background == other.background
        and np.array_equal(one.vector, other.vector)
    )
