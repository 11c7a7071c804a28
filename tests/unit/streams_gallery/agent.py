"""Gallery agents for tests: on a topic and an index in memory, which fail when told to."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import numpy as np

from recognition.cluster import EVERYWHERE
from recognition.retain import RetentionRule
from schemas.errors import DependencyDown
from schemas.event import now
from schemas.gallery import (
    GalleryCommand,
    GalleryEntry,
    Status,
)
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import load_settings
from streams.conditioning.placement import Placements
from streams.gallery.agent import GalleryAgent
from streams.index.base import GalleryState, IndexEntry, IndexKey, Query
from streams.index.memory import MemoryIndex
from tests.fake_log import FakeConditionings, FakeLog
from tests.gallery_entries import enrol

AXES = np.eye(4, dtype=np.float32)
OLD = now() - timedelta(days=30)
KEEP_ALL = RetentionRule(newest=None, mad_cutoff=None)
DOWN = DependencyDown("redis", "connection refused")

Make = Callable[..., GalleryAgent]


TRAIL = [enrol(f"oak-{i}", "oak", AXES[0] + 0.1 * i * AXES[3]) for i in range(3)]
ELM = enrol("elm-0", "elm", AXES[1] + 0.5 * AXES[3])


class FragileIndex(MemoryIndex):
    """Fails as it was told to, and can be set back to what it once was."""

    def __init__(self) -> None:
        super().__init__()
        self.before_fill: list[Exception] = []
        self.before_write: list[Exception] = []
        self.after_write: list[Exception] = []
        self.writes = 0
        self.on_fill: Callable[[], Awaitable[None]] | None = None

    async def fill(self, active: Sequence[IndexEntry], term: int = 0) -> None:
        if self.on_fill is not None:
            await self.on_fill()
        if self.before_fill:
            await super().fill(active[:1], term)
            raise self.before_fill.pop(0)
        await super().fill(active, term)

    async def write(
        self,
        active: Sequence[IndexEntry],
        gone: Sequence[IndexKey],
        state: GalleryState,
        term: int = 0,
    ) -> None:
        if self.before_write:
            raise self.before_write.pop(0)
        await super().write(active, gone, state, term)
        self.writes += 1
        if self.after_write:
            raise self.after_write.pop(0)

    async def held(self) -> dict[str, tuple[str, str]]:
        """Return what a search of all shards can find: identity and cluster by entry id."""
        state = await self.state()
        assert state is not None
        found: dict[str, tuple[str, str]] = {}
        for model, shards in state.models.items():
            clusters = tuple(name for name in shards if name != EVERYWHERE)
            (near,) = await self.search(
                [Query(AXES[0] + 1, state.space(model), clusters)], 1000, state.epoch
            )
            assert len(near) == shards[EVERYWHERE].entries, "the state counts what can be found"
            found |= {n.entry_id: (n.identity, n.cluster) for n in near}
        return found

    async def named(self) -> GalleryState:
        """Return the state, which there must be."""
        state = await self.state()
        assert state is not None
        return state

    @property
    def spaces(self) -> set[str]:
        """The spaces that there are shards of, seen or not."""
        return {space for (space, _), entries in self._shards.items() if entries}

    def lose_one(self) -> None:
        """Lose an entry that the state still counts."""
        shard = next(entries for entries in self._shards.values() if entries)
        shard.popitem()

    def saved(self) -> Callable[[], None]:
        """Return what sets the index back to the present: a snapshot that a restart loads."""
        shards = {name: dict(entries) for name, entries in self._shards.items()}
        state = self._state

        def load() -> None:
            self._shards = {name: dict(entries) for name, entries in shards.items()}
            self._state = state

        return load


def maker(
    log: FakeLog, index: MemoryIndex, metrics: Metrics, conditionings: FakeConditionings
) -> Make:
    """Return what makes agents on one topic and index, as processes come and go."""

    def made(
        *,
        rule: RetentionRule = KEEP_ALL,
        interval: timedelta = timedelta(hours=1),
        ownership: Callable[[], int | None] = lambda: 1,
        shard_by: tuple[str, ...] = (),
        target_fpir: float = 0.01,
    ) -> GalleryAgent:
        settings = load_settings(shard_by=shard_by, target_fpir=target_fpir).model_copy(
            update={"retention_interval_s": interval.total_seconds()}  # 0 too
        )
        return GalleryAgent(
            *(settings, metrics, index, Placements(shard_by)),
            gallery_log=log.owner(),
            last_activation=conditionings,
            ownership=ownership,
            rule=rule,
        )

    return made


def sent(*commands: GalleryCommand) -> list[Record]:
    return [command.record("gallery-commands") for command in commands]


def entries_of(log: FakeLog) -> dict[str, GalleryEntry]:
    """Return what the topic says of each entry in the end."""
    last = {change.entry_id: change for change in log.changes}
    return {i: change for i, change in last.items() if isinstance(change, GalleryEntry)}


def quarantined(log: FakeLog) -> dict[str, str]:
    """Return why each quarantined entry is there."""
    entries = entries_of(log)
    return {i: e.reason for i, e in entries.items() if e.status is Status.QUARANTINED}
