"""The gallery agent: the one writer of the ``gallery`` topic and of the index.

A change is first put on the topic (the truth), then into memory, then into the index (a view).
Whatever is interrupted in between is caught up: commands are repeated and plan nothing twice, and
the index is compared with memory each second.
"""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Protocol

from recognition.retain import RetentionRule
from schemas.errors import DependencyDown
from schemas.event import now
from schemas.gallery import GalleryCommand, GalleryEntry, Status
from schemas.metrics import Metrics
from schemas.records import Record
from streams.holdings import Change, Group, Holdings, group_of
from streams.index.base import EVERYWHERE, GalleryState, Index, Location
from streams.plan import Planner

log = logging.getLogger(__name__)


class GalleryLog(Protocol):
    """The ``gallery`` topic."""

    def read(self, after: int) -> AsyncIterator[tuple[Change, int]]:
        """Yield the changes with offsets above ``after``, up to the present end."""
        ...

    async def append(self, changes: Sequence[Change]) -> Sequence[int]:
        """Put changes on the topic; return their offsets once acknowledged."""
        ...


class GalleryAgent:
    """Applies commands and retention.

    Args:
        term: names the present ownership of the command partition, ``None`` without it. At the
            start of each term the topic is read again, since another process may have written.
    """

    def __init__(
        self,
        index: Index,
        gallery_log: GalleryLog,
        *,
        planner: Planner,
        rule: RetentionRule,
        target_fpir: float,
        retention_interval: timedelta,
        term: Callable[[], int | None],
        metrics: Metrics,
    ) -> None:
        self._index = index
        self._log = gallery_log
        self._planner = planner
        self._rule = rule
        self._interval = retention_interval.total_seconds()
        self._term = term
        self._metrics = metrics
        self._target_fpir = target_fpir
        self._holdings = Holdings(target_fpir)
        self._read_in_term: int | None = None
        self._written: GalleryState | None = None
        self._touched: dict[str, set[Location]] = {}
        self._due: set[Group] = set()
        self._retained_at = monotonic()
        self._turn = asyncio.Lock()

    async def handle(self, records: Sequence[Record]) -> list[Record]:
        """Carry out commands, then retention where they touched the gallery.

        Raises:
            BadInput: a record is no command, or a command that cannot be carried out.
            DependencyDown: the index does not answer; what is already on the topic is not lost.
        """
        commands = [GalleryCommand.read(record) for record in records]
        async with self._turn:
            await self._catch_up()
            for command in commands:
                changes = self._planner.plan(command, self._holdings)
                await self._commit(changes)
                self._due |= {group_of(c) for c in changes if isinstance(c, GalleryEntry)}
            await self._retain(self._due)
            self._due = set()
            await self._sync()
        return []

    async def tick(self) -> None:
        """Once a second: repair the index; now and then: retention by age.

        Raises:
            DependencyDown: the index does not answer.
        """
        if self._term() is None:
            return
        async with self._turn:
            await self._catch_up()
            if monotonic() - self._retained_at >= self._interval:
                await self._retain(self._holdings.groups())
                self._retained_at = monotonic()
            await self._sync()

    async def _catch_up(self) -> None:
        term = self._term()
        if term is None:
            raise DependencyDown("kafka", "the partition of the gallery commands was taken away")
        before, self._read_in_term = self._read_in_term, None
        if before is None or term not in (before, before + 1):
            # Between two terms in a row nobody else wrote. Else begin anew: compaction may have
            # dropped the tombstone of an entry that is still held here.
            await self._read_all()
        self._read_in_term = term

    async def _read_all(self) -> None:
        self._holdings = Holdings(self._target_fpir)
        self._touched = {}
        self._written = None
        async for change, offset in self._log.read(self._holdings.position):
            self._take(change, offset)
        log.info("gallery read up to %s: %s entries", self._holdings.position, len(self._holdings))

    async def _commit(self, changes: Sequence[Change]) -> None:
        if changes:
            offsets = await self._log.append(changes)
            for change, offset in zip(changes, offsets, strict=True):
                self._take(change, offset)

    def _take(self, change: Change, offset: int) -> None:
        old = self._holdings.get(change.entry_id)
        places = self._touched.setdefault(change.entry_id, set())
        if old is not None and old.status is Status.ACTIVE:
            places.add(_location(old))
        self._holdings.apply(change, offset)

    async def _retain(self, groups: Iterable[Group]) -> None:
        removals = self._holdings.to_retire(groups, self._rule, now())
        entries = {entry_id: self._holdings.get(entry_id) for entry_id in removals}
        await self._commit(
            [
                entry.model_copy(
                    update={
                        "status": Status.QUARANTINED,
                        "actor": "retention",
                        "reason": f"retention: {removals[entry_id]}",
                        "changed_at": now(),
                    }
                )
                for entry_id, entry in entries.items()
                if entry is not None
            ]
        )
        for reason, count in Counter(removals.values()).items():
            self._metrics.removals.labels(reason).inc(count)

    async def _sync(self) -> None:
        """Make the index hold what memory holds; make it anew when it is not as it was left."""
        present = await self._index.state()
        if self._written is None and present is not None and self._is_complete(present):
            self._written, self._touched = present, {}
        if present is None or present != self._written:
            await self._rebuild()
        elif self._touched or present != self._holdings.state(present.epoch):
            await self._write(self._touched, present.epoch)
        self._report()

    def _is_complete(self, state: GalleryState) -> bool:
        """Whether an index that an earlier process wrote holds all that was read."""
        wanted = self._holdings.state(state.epoch)
        same = state.models.keys() == wanted.models.keys()
        return same and state.position == wanted.position

    async def _rebuild(self) -> None:
        log.info("writing the index anew: %s entries", len(self._holdings))
        await self._index.clear()
        await self._write({entry.entry_id: set() for entry in self._holdings}, uuid.uuid4().hex)

    async def _write(self, touched: dict[str, set[Location]], epoch: str) -> None:
        active: list[GalleryEntry] = []
        gone: list[Location] = []
        for entry_id, places in touched.items():
            entry = self._holdings.get(entry_id)
            here: set[Location] = set()
            if entry is not None and entry.status is Status.ACTIVE:
                active.append(entry)
                here = {_location(entry)}
            gone.extend(places - here)
        state = self._holdings.state(epoch)
        await self._index.write(active, gone, state)
        self._written, self._touched = state, {}

    def _report(self) -> None:
        self._metrics.gallery_entries.clear()
        counts = Counter((entry.cluster, entry.status) for entry in self._holdings)
        for (cluster, status), count in counts.items():
            self._metrics.gallery_entries.labels(cluster, status).set(count)
        self._metrics.threshold.clear()
        for shards in () if self._written is None else self._written.models.values():
            for cluster, shard in shards.items():
                if cluster != EVERYWHERE and shard.threshold is not None:
                    self._metrics.threshold.labels(cluster).set(shard.threshold)


def _location(entry: GalleryEntry) -> Location:
    return Location(entry.entry_id, entry.model, entry.cluster)
