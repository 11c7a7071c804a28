"""The present gallery, and since when it has known each identity."""

from dataclasses import dataclass, field

from client.gallery_log import Entries
from client.kafka import reader
from schemas.gallery import GalleryEntry
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY


@dataclass(frozen=True, slots=True)
class Gallery:
    """What the ``gallery`` topic says.

    Attributes:
        entries: by id, those in quarantine too.
        since: the first offset at which an identity is named; on a compacted topic the first one
            that is left.
    """

    entries: Entries = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    _fold: GalleryFold = field(default_factory=GalleryFold, init=False, repr=False)

    def __post_init__(self) -> None:
        self._fold.entries = self.entries

    def take(self, record: Record) -> None:
        """Take over one more record."""
        change = self._fold.take(record)
        if isinstance(change, GalleryEntry):
            self.since.setdefault(change.identity, record.offset)


async def present_gallery(settings: Settings) -> Gallery:
    """Read the topic to its end.

    Raises:
        DependencyDown: the broker does not answer.
        SetupError: there is no gallery topic, or an earlier version wrote it.
    """
    gallery = Gallery()
    async with reader(settings, GALLERY, from_beginning=True) as log:
        async for record in log.to_end():
            gallery.take(record)
    return gallery
