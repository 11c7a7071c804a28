"""The ``gallery`` and ``conditioning`` topics in memory; they fail when they are told to."""

from collections.abc import AsyncIterator, Sequence

from schemas.conditioning import ActiveConditioning
from schemas.gallery import GalleryEntry
from streams.holdings import Change


class FakeLog:
    """Keeps changes as the broker would: as JSON, with offsets that compaction leaves alone."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, Change]] = []
        self.end = 0
        self.reads: list[int] = []
        self.refusals: list[Exception] = []
        self.lost_acknowledgements: list[Exception] = []

    @property
    def changes(self) -> list[Change]:
        """What is on the topic, oldest first."""
        return [change for _, change in self.kept]

    async def read(self, after: int) -> AsyncIterator[tuple[Change, int]]:
        """Yield what lies above ``after``."""
        self.reads.append(after)
        for offset, change in tuple(self.kept):
            if offset > after:
                yield change, offset

    async def append(self, changes: Sequence[Change]) -> Sequence[int]:
        """Put changes on the topic; raise before or after that where a test asks for it."""
        if self.refusals:
            raise self.refusals.pop(0)
        offsets = range(self.end, self.end + len(changes))
        self.kept += zip(offsets, map(_through_json, changes), strict=True)
        self.end += len(changes)
        if self.lost_acknowledgements:
            raise self.lost_acknowledgements.pop(0)
        return offsets

    def compact(self) -> None:
        """Keep the newest change of each entry, and no tombstone."""
        newest = {change.entry_id: offset for offset, change in self.kept}
        self.kept = [
            (offset, change)
            for offset, change in self.kept
            if newest[change.entry_id] == offset and isinstance(change, GalleryEntry)
        ]


class FakeConditionings:
    """Says which conditioning is wanted."""

    def __init__(self) -> None:
        self.records: list[ActiveConditioning] = []
        self.reads = 0

    async def last(self) -> ActiveConditioning | None:
        """Return the last record."""
        self.reads += 1
        return self.records[-1] if self.records else None


def _through_json(change: Change) -> Change:
    return GalleryEntry.read(change.record("t")) if isinstance(change, GalleryEntry) else change
