"""The gallery as the gallery agent holds it: the entries of the ``gallery`` topic, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from recognition.retain import Held, Removal, RetentionRule, retain
from schemas.gallery import GalleryEntry
from schemas.gallery_fold import Erasures
from schemas.gallery_records import Change, Erased
from streams.gallery.placed_gallery import Group, Layout
from streams.gallery.sizes import Sizes
from streams.index.base import GalleryState


class Holdings:
    """All entries, how they are laid out, and which ids were erased."""

    def __init__(self, layout: Layout, erasures: Erasures | None = None) -> None:
        self.layout = layout
        self.erasures = Erasures() if erasures is None else erasures
        self.position = -1
        self._entries: dict[str, GalleryEntry] = {}
        self._by_identity: defaultdict[str, set[str]] = defaultdict(set)
        self._sizes = Sizes()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[GalleryEntry]:
        return iter(self._entries.values())

    def get(self, entry_id: str) -> GalleryEntry | None:
        """Return the entry, active or quarantined."""
        return self._entries.get(entry_id)

    def dimension(self, model: str) -> int | None:
        """Return the size that a model's vectors must have, if anything tells it.

        A conditioning for the model does, or else the active entries; those in quarantine do not.
        """
        fitted = self.layout.placement.dimension(model)
        return self._sizes.of(model) if fitted is None else fitted

    def only_one(self, model: str) -> GalleryEntry | None:
        """Return the one active entry that alone tells the size of a model's vectors, if so."""
        if self.layout.placement.dimension(model) is not None:
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
            self._sizes.drop(old)
        if isinstance(change, Erased):
            if change.at is not None:
                self.erasures.mark(entry_id, change.at)
            self.layout.drop(entry_id)
            return
        self._entries[entry_id] = change
        self._by_identity[change.identity].add(entry_id)
        self._sizes.put(change)
        self.layout.put(change)

    def to_retire(
        self, groups: Iterable[Group], rule: RetentionRule, now: datetime
    ) -> dict[str, Removal]:
        """Return the active entries that retention removes, with the reason.

        Vectors are weighed as they are compared: as they are placed.
        """
        removals: dict[str, Removal] = {}
        for group in groups:
            members = self.layout.members(group)
            held = [Held(m.entry.entry_id, m.entry.captured_at, m.spot.vector) for m in members]
            kept = {m.entry.entry_id for m in members if m.entry.kept}
            found = retain(held, rule, now)
            removals |= {entry_id: why for entry_id, why in found.items() if entry_id not in kept}
        return removals

    def state(self, epoch: str, layout: Layout | None = None) -> GalleryState:
        """Return what the index should say about itself, under the present layout or another."""
        shown = self.layout if layout is None else layout
        return shown.state(epoch, self.position, self._sizes.by_model)

    def enter(self, layout: Layout) -> None:
        """Put all entries into another layout."""
        for entry in self:
            layout.put(entry)
