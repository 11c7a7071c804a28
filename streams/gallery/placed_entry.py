"""An entry of the gallery, placed."""

from dataclasses import dataclass

from schemas.gallery import GalleryEntry, Status
from streams.conditioning.placed import PlacedEmbedding

Group = tuple[str, str, str]
"""Model version, cluster and identity: the entries among which retention chooses."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedEntry:
    """An entry, and where it lies."""

    entry: GalleryEntry
    placed: PlacedEmbedding

    @property
    def entry_id(self) -> str:
        """The entry's id."""
        return self.entry.entry_id

    @property
    def identity(self) -> str:
        """Whose entry it is."""
        return self.entry.identity

    @property
    def active(self) -> bool:
        """Whether it is matched."""
        return self.entry.status is Status.ACTIVE

    @property
    def group(self) -> Group:
        """The group within which retention weighs it."""
        return self.entry.model, self.placed.cluster, self.entry.identity
