"""The gallery agent: the one writer of the ``gallery`` topic and of the index.

A change is first put on the topic (the truth), read back from it into memory, and then put into the
index (a view). Whatever is interrupted in between is caught up: commands are repeated and plan
nothing twice, and the index is compared with memory each second.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from recognition.retain import RetentionRule
from schemas.conditioning import Activation
from schemas.errors import DependencyDown
from schemas.event import now
from schemas.gallery import Change, GalleryCommand, Status
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from streams.conditioning.placement import Placements
from streams.gallery.activation import Activator, LastActivation
from streams.gallery.commands import Planner, overtaken
from streams.gallery.gauges import GalleryGauges, believed_fpir
from streams.gallery.holdings import Holdings
from streams.gallery.index_writer import IndexWriter, settle
from streams.gallery.placed_entry import Group
from streams.gallery.tenure import GalleryLog, Tenure, not_ours
from streams.index.base import Index

log = logging.getLogger(__name__)


class GalleryAgent:
    """Applies commands, retention and conditionings, one after the other.

    Args:
        last_activation: tells which conditioning the entries are to be placed by.
        ownership: names the present ownership of the command partition, ``None`` without it. Who
            has it may claim a term of the gallery; when it changes, the topic is read on, since
            another process may have written.
        rule: of retention, where it is not that of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        index: Index,
        placements: Placements,
        *,
        gallery_log: GalleryLog,
        last_activation: LastActivation,
        ownership: Callable[[], int | None],
        rule: RetentionRule | None = None,
    ) -> None:
        self._index = index
        self._tenure = Tenure(gallery_log, index.term, ownership)
        self._activator = Activator(last_activation, placements, settings.target_fpir)
        self._planner = Planner(settings.shard_by, settings.max_clusters)
        self._rule = retention_of(settings) if rule is None else rule
        self._interval = settings.retention_interval_s
        self._metrics = metrics
        self._gauges = GalleryGauges(metrics)
        self._holdings = Holdings(self._activator.plain())
        self._writer = IndexWriter(index, self._tenure.check, metrics, settings.verify_interval_s)
        self._begun = False
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
                self._tell_overtaken(command)
                changes = self._planner.plan(command, self._holdings)
                await self._commit(changes)
                changed = (change.entry_id for change in changes)
                self._due |= self._holdings.placed.groups_of(changed)
            await self._retain(self._due)
            self._due = set()
            await self._sync()
        return []

    async def on_activation_request(self, records: Sequence[Record]) -> list[Record]:
        """Record the requested conditioning; the next tick activates it.

        Raises:
            BadInput: a record does not say which.
            DependencyDown: the gallery is not ours; who owns it must hear of this.
        """
        for record in records:
            Activation.read(record)
        async with self._turn:
            if not self._tenure.owned:
                raise not_ours()
            await self._activator.read()
        return []

    async def tick(self) -> None:
        """Mend and verify the index, and activate what is wanted; at times, retire entries by age.

        Raises:
            DependencyDown: the index does not answer, or the conditioning that is wanted cannot be
                loaded; all else has been done then.
            SetupError: the topic is not to be gone on with before the operator has looked at it.
        """
        if not self._tenure.owned:
            return
        async with self._turn:
            await self._catch_up()
            due = monotonic() - self._retained_at >= self._interval
            if due:
                await self._retain(self._holdings.placed.groups())
                self._retained_at = monotonic()
            await self._sync()
            await self._writer.verify(self._holdings)
            if due:
                await self._believe()
            await self._activate()

    async def _catch_up(self) -> None:
        """Have a term of the gallery, and in memory what its topic says."""
        applied = await self._tenure.renew()
        if applied is None:
            self._begun = False
        if self._begun:
            self._take(applied or ())
        else:
            await self._begin()

    async def _begin(self) -> None:
        self._activator.wait()
        present = await self._index.state()
        await self._activator.read()
        self._writer.forget()
        fold = self._tenure.fold
        self._holdings = holdings = Holdings(self._activator.plain(), fold.erasures)
        for entry in fold.entries.values():
            holdings.apply(entry, fold.changed_at)
        holdings.position = fold.changed_at
        log.info("the gallery holds %s entries", len(holdings))
        placed = await self._activator.begin(present, holdings)
        holdings.enter(placed)
        await settle(placed)
        holdings.placed = placed
        self._begun = True

    async def _activate(self) -> None:
        placed = await self._activator.next(self._holdings)
        if placed is None:
            return
        log.info("laying the gallery out anew: %s", placed.active or "plain")
        self._holdings.enter(placed)
        try:
            await settle(placed)
        except ValueError as error:
            raise self._activator.refuse(error) from error
        try:
            await self._writer.move(self._holdings, placed)
        except DependencyDown:
            self._begun = False  # only the index knows now whether it moved
            raise
        self._gauges(self._holdings, self._writer.written)

    def _tell_overtaken(self, command: GalleryCommand) -> None:
        late = overtaken(command, self._holdings)
        for by in set(late.values()):
            self._metrics.commands_overtaken.labels(by).inc()
        if late:
            action, when = command.action.action, command.decided_at.isoformat()
            log.info("%s of %s comes too late for %s", action, when, sorted(late))

    async def _commit(self, changes: Sequence[Change]) -> None:
        if changes:
            self._take(await self._tenure.append(changes))

    def _take(self, applied: Iterable[tuple[Change, int]]) -> None:
        for change, offset in applied:
            self._writer.touch(change, self._holdings)
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

    async def _believe(self) -> None:
        written = self._writer.written
        if written is not None:
            placed = self._holdings.placed
            self._gauges.tell_belief(await asyncio.to_thread(believed_fpir, placed, written))

    async def _sync(self) -> None:
        self._metrics.gallery_unreadable.set(len(self._tenure.fold.unreadable))
        await self._writer.sync(self._holdings)
        self._gauges(self._holdings, self._writer.written)


def retention_of(settings: Settings) -> RetentionRule:
    """Return the rule of retention that the settings tell."""
    return RetentionRule(
        max_age=settings.retention_max_age,
        newest=settings.retention_newest,
        mad_cutoff=settings.retention_mad,
    )
