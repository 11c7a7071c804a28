"""Of which size the vectors of each model are, by its active entries."""

from collections import defaultdict

from schemas.gallery import GalleryEntry, Status


class Sizes:
    """Follows the active entries of each model. One in quarantine binds nobody."""

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
