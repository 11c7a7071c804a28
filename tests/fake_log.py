"""The ``gallery`` and ``conditioning`` topics in memory; they fail when they are told to."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from schemas.conditioning import Activation
from schemas.gallery import TERM_KEY, Change
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from streams.kafka.term_log import TermLog

TOPIC = "gallery"
DEAD_LETTERS = "dead-letters"


class FakeLog:
    """The records that a broker would hold, with offsets that compaction leaves alone."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.letters: list[Record] = []
        self.reads = 0
        self.refusals: list[Exception] = []
        self.lost_acknowledgements: list[Exception] = []
        self._next = 0

    def owner(self) -> TermLog:
        """Return the topic as one more process reads and writes it."""
        return TermLog(TOPIC, self._publish, self.read, dead_letters=DEAD_LETTERS)

    @property
    def changes(self) -> list[Change]:
        """The changes that count, oldest first."""
        fold = GalleryFold()
        found = (fold.take(record) for record in self.kept)
        return [change for change in found if change is not None]

    @property
    def end(self) -> int:
        """How many changes were put on the topic, if it was not compacted."""
        return len(self.changes)

    def put(self, *records: Record) -> list[int]:
        """Keep records; return their offsets."""
        offsets = []
        for record in records:
            offsets.append(self._next)
            if record.topic == DEAD_LETTERS:
                self.letters.append(record)
                continue
            self.kept.append(replace(record, partition=0, offset=self._next))
            self._next += 1
        return offsets

    def compact(self, before: int | None = None, *, tombstones: bool = True) -> None:
        """Keep the newest record of each key, of those with offsets below ``before``.

        ``tombstones``: drop them too, as a broker does after a day.
        """
        end = self._next if before is None else before
        newest = {record.key: record.offset for record in self.kept}
        self.kept = [
            record
            for record in self.kept
            if record.offset >= end
            or (newest[record.key] == record.offset and not (tombstones and record.value is None))
        ]

    def fold(self) -> GalleryFold:
        """Return what a reader of the whole topic knows."""
        fold = GalleryFold()
        for record in self.kept:
            fold.take(record)
        return fold

    async def read(self, after: int, through: int | None = None) -> AsyncIterator[Record]:
        """Yield what lies above ``after``."""
        self.reads += (after, through) == (-1, None)
        for record in tuple(self.kept):
            if record.offset > after and (through is None or record.offset <= through):
                yield record

    async def _publish(self, records: Sequence[Record]) -> list[int]:
        """Put records there; raise before or after that where a test asks for it."""
        changes = not any(record.key == TERM_KEY for record in records)
        if self.refusals and changes:
            raise self.refusals.pop(0)
        offsets = self.put(*records)
        if self.lost_acknowledgements and changes:
            raise self.lost_acknowledgements.pop(0)
        return offsets


class FakeConditionings:
    """Says which conditioning is wanted."""

    def __init__(self) -> None:
        self.records: list[Activation] = []
        self.reads = 0

    async def __call__(self) -> Activation | None:
        """Return the last record."""
        self.reads += 1
        return self.records[-1] if self.records else None
