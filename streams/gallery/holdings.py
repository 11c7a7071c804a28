"""The gallery as the gallery agent holds it: the entries of the ``gallery`` topic, in memory."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from recognition.cluster import Cluster
from recognition.retain import Held, Removal, RetentionRule, retain
from schemas.gallery import Change, Erased, GalleryEntry, Status
from schemas.gallery_fold import Erasures
from streams.gallery.placed_entry import Group
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState


class _Sizes:
    """Of which size the vectors of each model are, by its active entries.

    One in quarantine binds nobody.
    """

    def __init__(self) -> None:
        self._active: defaultdict[str, dict[str, int]] = defaultdict(dict)

    @property
    def by_model(self) -> dict[str, int]:
        """The sizes of the models that have an active entry."""
        return {model: next(iter(held.values())) for model, held in self._active.items() if held}

    def of(self, model: str) -> int | None:
        """Return the size of a model's vectors; None where no entry is active."""
        return next(iter(self._active.get(model, {}).values()), None)

    def only_one(self, model: str) -> str | None:
        """Return the id of a model's active entry where there is exactly one."""
        held = self._active.get(model, {})
        return next(iter(held)) if len(held) == 1 else None

    def put(self, entry: GalleryEntry) -> None:
        """Count an entry in."""
        if entry.status is Status.ACTIVE:
            self._active[entry.model][entry.entry_id] = entry.vector.size

    def drop(self, entry: GalleryEntry) -> None:
        """Count an entry out."""
        self._active[entry.model].pop(entry.entry_id, None)


class Holdings:
    """All entries, where they are placed, and which ids were erased."""

    def __init__(self, placed: PlacedGallery, erasures: Erasures | None = None) -> None:
        self.placed = placed
        self.erasures = Erasures() if erasures is None else erasures
        self.position = -1
        self._entries: dict[str, GalleryEntry] = {}
        self._by_identity: defaultdict[str, set[str]] = defaultdict(set)
        self._by_cluster: Counter[Cluster] = Counter()
        self._sizes = _Sizes()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[GalleryEntry]:
        return iter(self._entries.values())

    @property
    def clusters(self) -> Collection[Cluster]:
        """The clusters of the entries by their backgrounds, whatever they are placed by."""
        return self._by_cluster.keys()

    def get(self, entry_id: str) -> GalleryEntry | None:
        """Return the entry, active or quarantined."""
        return self._entries.get(entry_id)

    def dimension(self, model: str) -> int | None:
        """Return the size that a model's vectors must have, if anything tells it.

        A conditioning for the model does, or else the active entries; those in quarantine do not.
        """
        fitted = self.placed.placement.dimension(model)
        return self._sizes.of(model) if fitted is None else fitted

    def only_one(self, model: str) -> GalleryEntry | None:
        """Return the one active entry that alone tells the size of a model's vectors, if so."""
        if self.placed.placement.dimension(model) is not None:
            return None
        entry_id = self._sizes.only_one(model)
        return None if entry_id is None else self._entries[entry_id]

    def of_identity(self, identity: str) -> list[GalleryEntry]:
        """Return the entries of an identity, active and quarantined, by id."""
        return [self._entries[i] for i in sorted(self._by_identity.get(identity, ()))]

    def apply(self, change: Change, position: int) -> None:
        """Take over one record of the ``gallery`` topic; a repeat changes nothing."""
        self.position = max(self.position, position)
        entry_id = change.entry_id
        old = self._entries.pop(entry_id, None)
        if old is not None:
            self._by_identity[old.identity].discard(entry_id)
            self._leave(old.cluster)
            self._sizes.drop(old)
        if isinstance(change, Erased):
            if change.at is not None:
                self.erasures.mark(entry_id, change.at)
            self.placed.drop(entry_id)
            return
        self._entries[entry_id] = change
        self._by_identity[change.identity].add(entry_id)
        self._by_cluster[change.cluster] += 1
        self._sizes.put(change)
        self.placed.put(change)

    def _leave(self, cluster: Cluster) -> None:
        self._by_cluster[cluster] -= 1
        if not self._by_cluster[cluster]:
            del self._by_cluster[cluster]

    def to_retire(
        self, groups: Iterable[Group], rule: RetentionRule, now: datetime
    ) -> dict[str, Removal]:
        """Return the active entries that retention removes, with the reason.

        Vectors are weighed as they are compared: as they are placed.
        """
        removals: dict[str, Removal] = {}
        for group in groups:
            members = self.placed.members(group)
            held = [Held(m.entry_id, m.entry.captured_at, m.placed.vector) for m in members]
            kept = {m.entry_id for m in members if m.entry.kept}
            retired = retain(held, rule, now)
            removals |= {entry_id: why for entry_id, why in retired.items() if entry_id not in kept}
        return removals

    def state(self, epoch: str, placed: PlacedGallery | None = None) -> GalleryState:
        """Return what the index should say about itself, as placed at present or otherwise."""
        shown = self.placed if placed is None else placed
        return shown.state(epoch, self.position, self._sizes.by_model)

    def enter(self, placed: PlacedGallery) -> None:
        """Put all entries into a gallery under another placement."""
        for entry in self:
            placed.put(entry)
