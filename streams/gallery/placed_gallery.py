"""The gallery laid out under one placement: where each entry lies, and what is true of the shards.

Entries are taken in at once, and placed later, many together: that is much cheaper.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from recognition.cluster import UNCLUSTERED
from schemas.conditioning import ArtefactRef
from schemas.gallery import GalleryEntry, Status
from streams.conditioning.placement import Placement, Spot
from streams.gallery.impostors import Member
from streams.gallery.shard_states import Census
from streams.index.base import GalleryState, IndexEntry, Location

Group = tuple[str, str, str]
"""Model version, cluster and identity: the entries among which retention chooses."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """An entry, and where it lies."""

    entry: GalleryEntry
    spot: Spot

    @property
    def active(self) -> bool:
        """Whether it is matched."""
        return _active(self.entry)

    @property
    def group(self) -> Group:
        """The group within which retention weighs it."""
        return self.entry.model, self.spot.cluster, self.entry.identity

    @property
    def member(self) -> Member:
        """What a census counts of it."""
        return Member(self.entry.entry_id, self.entry.identity, self.spot)


class Layout:
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
        self._census = Census(artefact, target_fpir)
        self._waiting: dict[str, GalleryEntry] = {}
        self._laid: dict[str, Laid] = {}
        self._groups: defaultdict[Group, set[str]] = defaultdict(set)

    def put(self, entry: GalleryEntry) -> None:
        """Take an entry in, in place of the one with its id."""
        old = self._laid.get(entry.entry_id)
        self.drop(entry.entry_id)
        if old is not None and _lie_alike(old.entry, entry):
            self._lay(Laid(entry, old.spot))
        else:
            self._waiting[entry.entry_id] = entry

    def drop(self, entry_id: str) -> None:
        """Let go of an entry, if it is here."""
        self._waiting.pop(entry_id, None)
        laid = self._laid.pop(entry_id, None)
        if laid is None:
            return
        self.counts[laid.spot.cluster, laid.entry.status] -= 1
        if laid.active:
            self._census.remove(laid.entry.model, laid.member)
            self._groups[laid.group].discard(entry_id)

    def settle(self, most: int | None = None) -> bool:
        """Place entries that wait, so many at most, and show them to the watches: the costly part.

        Returns whether any still waits.

        Raises:
            ValueError: an entry is not of its model's dimension.
        """
        alike: dict[tuple[str, int], list[GalleryEntry]] = defaultdict(list)
        for entry in islice(self._waiting.values(), most):
            alike[entry.model, entry.vector.size].append(entry)
        for entries in alike.values():
            for entry, spot in zip(entries, self._spots(entries), strict=True):
                self._lay(Laid(entry, spot))
                del self._waiting[entry.entry_id]
        self._census.look()
        return bool(self._waiting)

    def entry(self, entry_id: str) -> IndexEntry | None:
        """Return an active entry as the index holds it."""
        self.settle()
        laid = self._laid.get(entry_id)
        if laid is None or not laid.active:
            return None
        return IndexEntry(
            entry_id=entry_id,
            identity=laid.entry.identity,
            space=self.placement.space(laid.entry.model),
            cluster=laid.spot.cluster,
            vector=laid.spot.vector,
            scale=laid.spot.scale,
        )

    def active_ids(self) -> list[str]:
        """Return the ids of all active entries."""
        self.settle()
        return [entry_id for entry_id, laid in self._laid.items() if laid.active]

    def entries(self) -> Iterator[IndexEntry]:
        """Yield all active entries as the index holds them."""
        self.settle()
        for entry_id in self._laid:
            entry = self.entry(entry_id)
            if entry is not None:
                yield entry

    def location(self, entry_id: str) -> Location | None:
        """Return where the index holds an active entry."""
        entry = self.entry(entry_id)
        return None if entry is None else Location(entry_id, entry.space, entry.cluster)

    def groups(self) -> list[Group]:
        """Return the groups that hold active entries."""
        self.settle()
        return [group for group, members in self._groups.items() if members]

    def groups_of(self, entry_ids: Iterable[str]) -> set[Group]:
        """Return the groups of those of these entries that are here."""
        self.settle()
        return {self._laid[entry_id].group for entry_id in entry_ids if entry_id in self._laid}

    def members(self, group: Group) -> list[Laid]:
        """Return the active entries of a group, by id."""
        self.settle()
        return [self._laid[entry_id] for entry_id in sorted(self._groups.get(group, ()))]

    def state(self, epoch: str, position: int, dimensions: dict[str, int]) -> GalleryState:
        """Return what the index should say of itself."""
        self.settle()
        models = self._census.shards()
        artefact = self.placement.artefact
        fitted = {} if artefact is None else {artefact.model: artefact.dimension}
        return GalleryState(
            epoch=epoch,
            position=position,
            models=models,
            dimensions={model: dimensions[model] for model in models} | fitted,
            conditioning=self.active,
            thresholds=self._census.thresholds(),
        )

    def _spots(self, entries: list[GalleryEntry]) -> list[Spot]:
        """Place entries of one model and size."""
        model, size = entries[0].model, entries[0].vector.size
        if self.placement.dimension(model) not in (None, size) and not any(map(_active, entries)):
            # In quarantine for its size, perhaps: it is counted, and never compared.
            return [Spot(UNCLUSTERED, entry.vector) for entry in entries]
        vectors = [entry.vector for entry in entries]
        backgrounds = [entry.background for entry in entries]
        return self.placement.place_all(model, vectors, backgrounds)

    def _lay(self, laid: Laid) -> None:
        self._laid[laid.entry.entry_id] = laid
        self.counts[laid.spot.cluster, laid.entry.status] += 1
        if laid.active:
            self._census.add(laid.entry.model, laid.member)
            self._groups[laid.group].add(laid.entry.entry_id)


def _active(entry: GalleryEntry) -> bool:
    return entry.status is Status.ACTIVE


def _lie_alike(one: GalleryEntry, other: GalleryEntry) -> bool:
    return (
        one.model == other.model
        and one.background == other.background
        and np.array_equal(one.vector, other.vector)
    )
