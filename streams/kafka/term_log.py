"""The ``gallery`` topic as one of several possible owners writes it: under a term of its own.

The consumer group says who may write, but a process that was stopped for a while hears of it late.
So the log itself decides. An owner claims a term, and after each append reads on to what it wrote:
where it meets the claim of a higher term it has written in vain, and every reader knows that.
"""

import logging
import os
import platform
import secrets
from collections.abc import AsyncIterator, Callable, Sequence

from schemas.dead_letter import at_lengths, dead_letter
from schemas.errors import BadInput, DependencyDown
from schemas.gallery import Change, Erased, ErasedMark, under_term
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from streams.kafka.stage import Publish

Read = Callable[[int, int | None], AsyncIterator[Record]]
"""Yields records with offsets above the first number, up to the second or else the present end."""

log = logging.getLogger(__name__)

Applied = list[tuple[Change, int]]
"""Changes that count, with their offsets, in the order of the log."""


class TermLog:
    """Reads and writes the topic.

    Args:
        topic: its full name.
        publish: puts records on their topics and returns their offsets.
        read: reads the topic.
        dead_letters: where records go that cannot be read.
    """

    def __init__(self, topic: str, publish: Publish, read: Read, *, dead_letters: str) -> None:
        self._topic = topic
        self._publish = publish
        self._read = read
        self._dead_letters = dead_letters
        self._owner = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._term: int | None = None
        self._untold: Applied = []
        self._bad: list[tuple[Record, BadInput]] = []
        self.fold = GalleryFold()

    @property
    def term(self) -> int | None:
        """The term that is ours; None before the first claim and once another has claimed one."""
        return self._term

    async def claim(self, may: Callable[[], object], above: int = 0) -> None:
        """Read the topic from its beginning, and make the next term ours.

        Args:
            may: raises when the gallery is not ours to write; asked before each attempt.
            above: a term that is taken elsewhere; the log that told of it may have been lost.

        Raises:
            DependencyDown: from ``may``, or the topic cannot be read or written now.
            SetupError: an earlier version wrote this log.
        """
        self._term, self.fold, self._untold, self._bad = None, GalleryFold(), [], []
        await self._take(None)
        begins = await self._examine()
        while True:
            may()
            claim = self.fold.next_claim(self._owner, secrets.token_hex(16), begins, above)
            (offset,) = await self._publish([claim.record(self._topic)])
            await self._take(offset)
            if self.fold.term == claim.term and self.fold.claim == claim:
                break
        self._term = claim.term
        await self._mend()
        self._untold = []

    async def check(self) -> Applied:
        """Read on to the present end; return what changed.

        Raises:
            DependencyDown: another process has claimed a higher term.
        """
        self._need_term()
        await self._take(None)
        await self._mend()
        return self._tell()

    async def append(self, changes: Sequence[Change]) -> Applied:
        """Put changes on the topic under our term; return what they, and others, changed.

        Raises:
            DependencyDown: another process has claimed a higher term: what was written counts only
                where it was written before that claim.
        """
        for records in self._steps(changes):
            await self._write(records)
        await self._mend()
        return self._tell()

    async def _examine(self) -> int:
        """Refuse a log that lacks records; return the first offset that has been accepted."""
        return 0

    def _steps(self, changes: Sequence[Change]) -> list[list[Record]]:
        """Return what to write, each list once the one before it is acknowledged.

        The lasting marks of erased entries come first: a tombstone whose mark is missing would let
        a late repeat bring the entry back, and nothing would plan the mark once more.
        """
        term = self._need_term()
        marks = [
            ErasedMark(entry_hash=self.fold.erasures.hash(change.entry_id), erased_at=change.at)
            for change in changes
            if isinstance(change, Erased) and change.at is not None
        ]
        steps = [
            [mark.record(self._topic) for mark in marks],
            [
                Record(self._topic, change.key, None)
                if isinstance(change, Erased)
                else change.record(self._topic)
                for change in changes
            ],
        ]
        return [[under_term(record, term) for record in step] for step in steps if step]

    async def _write(self, records: Sequence[Record]) -> None:
        self._need_term()
        offsets = await self._publish(records)
        await self._take(max(offsets))

    async def _mend(self) -> None:
        """Write the truth again where it lies under a record that counts for nothing."""
        if self._bad:
            letters = (dead_letter(self._dead_letters, *bad, "gallery", 1) for bad in self._bad)
            await self._publish([at_lengths(letter)[0] for letter in letters])
            self._bad = []
        while self.fold.overruled:
            keys = sorted(self.fold.overruled)
            await self._write([self.fold.truth(key, self._topic) for key in keys])

    async def _take(self, through: int | None) -> None:
        async for record in self._read(self.fold.position, through):
            change = self.fold.take(record)
            if change is not None:
                self._untold.append((change, record.offset))
            bad = self.fold.unreadable.get(record.key or b"")
            if bad is not None and bad[0] is record:
                log.warning("%s passed over: %s", record.position, bad[1])
                self._bad.append(bad)
        if self._term is not None and self.fold.term != self._term:
            self._term = None
            claim = self.fold.claim
            who = "another process" if claim is None else claim.owner
            raise DependencyDown("gallery", f"{who} has claimed term {self.fold.term}")

    def _tell(self) -> Applied:
        told, self._untold = self._untold, []
        return told

    def _need_term(self) -> int:
        if self._term is None:
            raise DependencyDown("gallery", "no term of it is ours")
        return self._term
