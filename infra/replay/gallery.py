"""The present gallery, and since when it has known each identity."""

from dataclasses import dataclass, field

from infra.gallery_log import Entries, apply
from infra.kafka import reader
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

    def take(self, record: Record) -> None:
        """Take over one more record."""
        apply(self.entries, record)
        if record.value is not None:
            entry = self.entries[(record.key or b"").decode()]
            self.since.setdefault(entry.identity, record.offset)


async def present_gallery(settings: Settings) -> Gallery:
    """Read the topic to its end.

    Raises:
        BadInput: an entry cannot be read by this version.
        DependencyDown: the broker does not answer.
        SetupError: there is no gallery topic.
    """
    gallery = Gallery()
    async with reader(settings, GALLERY, from_beginning=True) as log:
        async for record in log.to_end():
            gallery.take(record)
    return gallery
