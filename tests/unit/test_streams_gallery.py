"""The gallery agent on a topic and an index in memory: what it writes, repairs and forgets."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from aiokafka.errors import KafkaConnectionError

from recognition.cluster import UNCLUSTERED
from recognition.retain import RetentionRule
from schemas.errors import BadInput, DependencyDown, PerennialError
from schemas.event import now
from schemas.gallery import (
    Erase,
    GalleryCommand,
    GalleryEntry,
    Move,
    Quarantine,
    Restore,
    Status,
)
from schemas.metrics import Metrics
from schemas.records import Record
from streams.gallery import GalleryAgent
from streams.holdings import Erased
from streams.index.base import EVERYWHERE, GalleryState, Location, Query
from streams.index.memory import MemoryIndex
from streams.plan import Planner
from tests.fake_log import FakeLog
from tests.gallery_entries import MODEL, command, enrol

AXES = np.eye(4, dtype=np.float32)
OLD = now() - timedelta(days=30)
KEEP_ALL = RetentionRule(newest=None, mad_cutoff=None)
DOWN = DependencyDown("redis", "connection refused")

Make = Callable[..., GalleryAgent]


class FragileIndex(MemoryIndex):
    """Fails as it was told to, and can be set back to what it once was."""

    def __init__(self) -> None:
        super().__init__()
        self.before_write: list[Exception] = []
        self.after_write: list[Exception] = []
        self.writes = 0

    async def write(
        self, active: Sequence[GalleryEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        if self.before_write:
            raise self.before_write.pop(0)
        await super().write(active, gone, state)
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
            (near,) = await self.search([Query(AXES[0] + 1, model, clusters)], 1000, state.epoch)
            assert len(near) == shards[EVERYWHERE].entries, "the state counts what can be found"
            found |= {n.entry_id: (n.identity, n.cluster) for n in near}
        return found

    def saved(self) -> Callable[[], None]:
        """Return what sets the index back to the present: a snapshot that a restart loads."""
        shards = {name: dict(entries) for name, entries in self._shards.items()}
        state = self._state

        def load() -> None:
            self._shards, self._state = shards, state

        return load


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def index() -> FragileIndex:
    return FragileIndex()


@pytest.fixture
def make(log: FakeLog, index: FragileIndex, metrics: Metrics) -> Make:
    """Make agents on the same topic and index: one after the other, as processes come and go."""

    def made(
        *,
        rule: RetentionRule = KEEP_ALL,
        interval: timedelta = timedelta(hours=1),
        term: Callable[[], int | None] = lambda: 1,
        shard_by: tuple[str, ...] = (),
        target_fpir: float = 0.01,
    ) -> GalleryAgent:
        return GalleryAgent(
            index,
            log,
            planner=Planner(shard_by),
            rule=rule,
            target_fpir=target_fpir,
            retention_interval=interval,
            term=term,
            metrics=metrics,
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


TRAIL = [enrol(f"oak-{i}", "oak", AXES[0] + 0.1 * i * AXES[3]) for i in range(3)]
ELM = enrol("elm-0", "elm", AXES[1])


async def test_what_is_enrolled_is_on_the_topic_and_in_the_index(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    assert await make().handle(sent(*TRAIL, ELM)) == []
    assert list(entries_of(log)) == ["oak-0", "oak-1", "oak-2", "elm-0"]
    assert await index.held() == {
        "oak-0": ("oak", "all"),
        "oak-1": ("oak", "all"),
        "oak-2": ("oak", "all"),
        "elm-0": ("elm", "all"),
    }
    state = await index.state()
    assert state is not None
    assert state.position == 3
    assert state.models[MODEL]["all"].threshold is not None


async def test_an_agent_without_commands_tells_the_matcher_that_the_gallery_is_empty(
    make: Make, index: FragileIndex
) -> None:
    await make().tick()
    state = await index.state()
    assert state is not None
    assert (state.position, state.models) == (-1, {})


async def test_the_same_commands_again_change_nothing(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL, ELM))
    before = await index.state()
    await agent.handle(sent(ELM, *TRAIL))
    await agent.handle(sent(*TRAIL, *TRAIL))
    assert log.end == 4
    assert await index.state() == before


async def test_nothing_is_written_when_nothing_changed(make: Make, index: FragileIndex) -> None:
    agent = make()
    await agent.handle(sent(ELM))
    writes = index.writes
    for _ in range(5):
        await agent.tick()
    await agent.handle(sent(ELM))
    assert index.writes == writes


async def test_a_moved_entry_leaves_its_old_shard(make: Make, index: FragileIndex) -> None:
    agent = make(shard_by=("season",))
    await agent.handle(sent(enrol("e", "oak", AXES[0], background={"season": "winter"})))
    assert await index.held() == {"e": ("oak", "season=winter")}
    await agent.handle(sent(enrol("e", "elm", AXES[0], background={})))
    assert await index.held() == {"e": ("elm", UNCLUSTERED)}
    state = await index.state()
    assert state is not None
    (found,) = await index.search([Query(AXES[0], MODEL, ("season=winter",))], 9, state.epoch)
    assert found == ()


async def test_rename_quarantine_and_restore_reach_the_index(
    make: Make, index: FragileIndex
) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL))
    await agent.handle(sent(command("oak", Move(action="rename", to="ash"))))
    assert {identity for identity, _ in (await index.held()).values()} == {"ash"}
    await agent.handle(sent(command("ash", Quarantine(entry_ids=("oak-1",)))))
    assert set(await index.held()) == {"oak-0", "oak-2"}
    await agent.handle(sent(command("ash", Restore())))
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2"}


@pytest.mark.parametrize("value", [b"", b"{", b"[]", None])
async def test_what_is_no_command_is_bad_input_and_changes_nothing(
    make: Make, log: FakeLog, value: bytes | None
) -> None:
    with pytest.raises(BadInput, match="GalleryCommand"):
        await make().handle([*sent(ELM), Record("gallery-commands", None, value)])
    assert log.end == 0


async def test_after_a_bad_command_in_a_batch_each_can_be_repeated_alone(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    """What the stage does: when the batch fails, record by record."""
    agent = make()
    batch = sent(TRAIL[0], command("oak", Quarantine(entry_ids=("nothing",))), ELM)
    with pytest.raises(BadInput, match="nothing"):
        await agent.handle(batch)
    await agent.handle(batch[:1])
    with pytest.raises(BadInput, match="nothing"):
        await agent.handle(batch[1:2])
    await agent.handle(batch[2:])
    assert set(await index.held()) == {"oak-0", "elm-0"}
    assert log.end == 2


async def test_a_vector_without_direction_never_gets_on_the_topic(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    """There it would fail every agent that reads it, for ever."""
    zero = ELM.action.model_copy(update={"vector": np.zeros(4, np.float32)})
    with pytest.raises(BadInput):
        await make().handle(sent(command("elm", zero)))
    assert log.end == 0
    await make().handle(sent(*TRAIL))
    assert len(await index.held()) == 3


# Interrupted between the topic and the index


async def test_an_index_that_failed_is_caught_up_by_the_repeat(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    agent = make()
    index.before_write = [DOWN, DOWN]
    for _ in range(2):
        with pytest.raises(DependencyDown):
            await agent.handle(sent(*TRAIL))
    await agent.handle(sent(*TRAIL))
    assert len(await index.held()) == 3
    assert log.end == 3, "the commands were carried out once"


@pytest.mark.parametrize("moment", ["before_write", "after_write"])
async def test_an_index_that_failed_is_caught_up_by_the_next_tick(
    make: Make, index: FragileIndex, moment: str
) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL))
    setattr(index, moment, [DOWN])
    with pytest.raises(DependencyDown):
        await agent.handle(sent(ELM, command("oak", Erase())))
    await agent.tick()
    assert set(await index.held()) == {"elm-0"}


async def test_a_crash_between_topic_and_index_is_repaired_by_the_next_process(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    first = make()
    await first.handle(sent(*TRAIL))
    index.before_write = [DOWN]
    with pytest.raises(DependencyDown):
        await first.handle(sent(ELM, command("oak", Quarantine(entry_ids=("oak-1",)))))
    await make().tick()
    assert set(await index.held()) == {"oak-0", "oak-2", "elm-0"}
    assert log.end == 5


async def test_a_lost_acknowledgement_does_no_harm(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    agent = make()
    log.lost_acknowledgements = [KafkaConnectionError("gone")]
    with pytest.raises(KafkaConnectionError):
        await agent.handle(sent(*TRAIL))
    await agent.handle(sent(*TRAIL))
    assert len(await index.held()) == len(entries_of(log)) == 3


async def test_a_topic_that_refuses_changes_nothing(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    agent = make()
    await agent.tick()
    log.refusals = [KafkaConnectionError("gone")]
    with pytest.raises(KafkaConnectionError):
        await agent.handle(sent(*TRAIL))
    await agent.tick()
    assert await index.held() == {}


# The index is a view


async def test_a_lost_index_is_made_anew_by_a_tick(make: Make, index: FragileIndex) -> None:
    agent = make()
    quarantine = command("oak", Quarantine(entry_ids=("oak-1",)))
    await agent.handle(sent(*TRAIL, ELM, quarantine))
    before = await index.state()
    await index.clear()
    await agent.tick()
    after = await index.state()
    assert set(await index.held()) == {"oak-0", "oak-2", "elm-0"}
    assert before is not None
    assert after is not None
    assert after.epoch != before.epoch, "searches that began before must notice"
    assert (after.position, after.models) == (before.position, before.models)


async def test_an_index_that_is_lost_while_it_is_made_anew(make: Make, index: FragileIndex) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL))
    await index.clear()
    index.before_write = [DOWN, DOWN]
    for _ in range(2):
        with pytest.raises(DependencyDown):
            await agent.tick()
    await agent.tick()
    assert len(await index.held()) == 3


async def test_an_index_that_went_back_in_time_is_caught_up(
    make: Make, index: FragileIndex
) -> None:
    """Redis restarts from its last snapshot, or a replica takes over: the same epoch, older."""
    agent = make()
    await agent.handle(sent(TRAIL[0]))
    load = index.saved()
    await agent.handle(sent(TRAIL[1], ELM))
    load()
    await agent.tick()
    assert set(await index.held()) == {"oak-0", "oak-1", "elm-0"}


async def test_what_was_erased_does_not_come_back_with_an_old_snapshot(
    make: Make, index: FragileIndex
) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL, ELM))
    load = index.saved()
    await agent.handle(sent(command("oak", Erase())))
    load()
    await agent.tick()
    assert set(await index.held()) == {"elm-0"}


async def test_a_new_process_takes_over_an_index_that_is_right(
    make: Make, index: FragileIndex
) -> None:
    await make().handle(sent(*TRAIL))
    before = await index.state()
    await make().tick()
    assert await index.state() == before


async def test_a_new_process_with_another_target_sets_other_thresholds(
    make: Make, index: FragileIndex
) -> None:
    along = [enrol(f"e{i}", f"place-{i}", AXES[0] + i * i * AXES[1]) for i in range(5)]
    await make(target_fpir=0.01).handle(sent(*along))
    before = await index.state()
    await make(target_fpir=0.5).tick()
    after = await index.state()
    assert before is not None
    assert after is not None
    assert after.epoch == before.epoch
    strict, lax = (s.models[MODEL]["all"].threshold for s in (before, after))
    assert strict is not None
    assert lax is not None
    assert lax > strict


async def test_an_index_that_another_deployment_left_is_made_anew(
    make: Make, index: FragileIndex, log: FakeLog
) -> None:
    await make().handle(sent(*TRAIL))
    log.kept, log.end = [], 0
    await make().tick()
    assert await index.held() == {}


# Terms: who owns the partition of the commands


async def test_a_new_term_reads_what_another_wrote(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    terms: dict[str, int | None] = {"first": 1, "second": None}
    first = make(term=lambda: terms["first"])
    second = make(term=lambda: terms["second"])
    await first.handle(sent(*TRAIL))
    terms.update(first=None, second=2)
    await second.handle(sent(ELM, command("oak", Move(action="rename", to="ash"))))
    terms.update(first=3, second=None)
    await first.handle(sent(command("ash", Quarantine(entry_ids=("oak-0",)))))
    assert set(await index.held()) == {"oak-1", "oak-2", "elm-0"}
    assert entries_of(log)["oak-0"].identity == "ash"


async def test_within_a_term_the_topic_is_read_once(make: Make, log: FakeLog) -> None:
    agent = make()
    for _ in range(3):
        await agent.tick()
        await agent.handle(sent(ELM))
    assert log.reads == [-1]


async def test_without_the_partition_a_tick_does_nothing(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    await make(term=lambda: None).tick()
    assert log.reads == []
    assert await index.state() is None


async def test_without_the_partition_the_index_of_the_owner_is_left_alone(
    make: Make, index: FragileIndex
) -> None:
    """A batch may still be at work when its partition is taken away, or not yet known as ours."""
    await make().handle(sent(*TRAIL))
    late = make(term=lambda: None)
    with suppress(PerennialError):
        await late.handle(sent(ELM))
    assert {"oak-0", "oak-1", "oak-2"} <= set(await index.held())


async def test_an_owner_of_long_ago_forgets_what_was_erased_meanwhile(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    """After a day compaction drops the tombstone too: nothing on the topic tells of it."""
    terms: dict[str, int | None] = {"first": 1}
    first = make(term=lambda: terms["first"])
    await first.handle(sent(*TRAIL, ELM))
    await make().handle(sent(command("oak", Erase())))
    log.compact()
    terms["first"] = 3
    await first.handle(sent(enrol("ash-0", "ash", AXES[2])))
    assert set(await index.held()) == {"elm-0", "ash-0"}


async def test_a_topic_that_breaks_off_is_read_on(
    make: Make, log: FakeLog, index: FragileIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make().handle(sent(*TRAIL))
    read = log.read

    async def broken(after: int) -> Any:
        async for change in read(after):
            yield change
            raise KafkaConnectionError("gone")

    agent = make()
    monkeypatch.setattr(log, "read", broken)
    with pytest.raises(KafkaConnectionError):
        await agent.tick()
    monkeypatch.setattr(log, "read", read)
    await agent.tick()
    assert len(await index.held()) == 3


# Retention


async def test_the_newest_stay_and_the_oldest_goes_to_quarantine(
    make: Make, log: FakeLog, index: FragileIndex, metrics: Metrics
) -> None:
    agent = make(rule=RetentionRule(newest=2, mad_cutoff=None))
    days = [OLD + timedelta(days=day) for day in (2, 0, 1)]
    await agent.handle(
        sent(*(enrol(f"oak-{i}", "oak", AXES[i], captured_at=at) for i, at in enumerate(days)), ELM)
    )
    assert quarantined(log) == {"oak-1": "retention: count"}
    assert entries_of(log)["oak-1"].actor == "retention"
    assert set(await index.held()) == {"oak-0", "oak-2", "elm-0"}
    removals = metrics.registry.get_sample_value(
        "perennial_retention_removals_total", {"reason": "count"}
    )
    assert removals == 1


async def test_an_outlier_goes_to_quarantine(make: Make, log: FakeLog, index: FragileIndex) -> None:
    agent = make(rule=RetentionRule(newest=None, mad_cutoff=3.5, mad_min=5))
    close = [enrol(f"oak-{i}", "oak", AXES[0] + 0.01 * i * AXES[1]) for i in range(5)]
    await agent.handle(sent(*close, enrol("far", "oak", AXES[2])))
    assert quarantined(log) == {"far": "retention: mad"}
    assert "far" not in await index.held()


async def test_age_is_looked_at_now_and_then(
    make: Make, log: FakeLog, index: FragileIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RetentionRule(max_age=timedelta(days=40), newest=None, mad_cutoff=None)
    recent = enrol("elm-0", "elm", AXES[1], captured_at=now())
    seldom, often = make(rule=rule), make(rule=rule, interval=timedelta(0))
    await seldom.handle(sent(enrol("oak-0", "oak", AXES[0], captured_at=OLD), recent))
    monkeypatch.setattr("streams.gallery.now", lambda: now() + timedelta(days=11))
    await seldom.tick()
    assert quarantined(log) == {}
    await often.tick()
    assert quarantined(log) == {"oak-0": "retention: age"}
    assert set(await index.held()) == {"elm-0"}


async def test_retention_that_was_carried_out_plans_nothing_again(make: Make, log: FakeLog) -> None:
    agent = make(rule=RetentionRule(newest=1, mad_cutoff=None), interval=timedelta(0))
    await agent.handle(sent(*TRAIL))
    end = log.end
    await agent.tick()
    await agent.handle(sent(*TRAIL))
    assert log.end == end == 5


@pytest.mark.parametrize(
    "rule",
    [
        RetentionRule(newest=2, mad_cutoff=None),
        RetentionRule(newest=None, mad_cutoff=3.5, mad_min=5),
        RetentionRule(max_age=timedelta(days=20), newest=None, mad_cutoff=None),
    ],
    ids=["count", "mad", "age"],
)
async def test_what_a_person_restores_stays(
    make: Make, log: FakeLog, index: FragileIndex, rule: RetentionRule
) -> None:
    """Restorable means that a person's word outranks the rule that took the entry out."""
    agent = make(rule=rule, interval=timedelta(0))
    close = [
        enrol(f"oak-{i}", "oak", AXES[0] + 0.01 * i * AXES[1], captured_at=now()) for i in range(5)
    ]
    out = enrol("far", "oak", AXES[2], captured_at=OLD)
    await agent.handle(sent(*close[: rule.newest or 5], out))
    assert set(quarantined(log)) == {"far"}
    await agent.handle(sent(command("oak", Restore(entry_ids=("far",)))))
    await agent.tick()
    assert "far" in await index.held()


# Erasing


async def test_erase_leaves_nothing(make: Make, log: FakeLog, index: FragileIndex) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL, ELM, command("oak", Quarantine(entry_ids=("oak-1",)))))
    await agent.handle(sent(command("oak", Erase())))
    assert set(await index.held()) == {"elm-0"}
    assert [change for change in log.changes if isinstance(change, Erased)] == [
        Erased(f"oak-{i}") for i in range(3)
    ]
    log.compact()
    assert set(entries_of(log)) == {"elm-0"}
    await index.clear()
    await make().tick()
    assert set(await index.held()) == {"elm-0"}


async def test_when_all_is_erased_no_shard_is_left(make: Make, index: FragileIndex) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL))
    await agent.handle(sent(command("oak", Erase())))
    state = await index.state()
    assert state is not None
    assert state.models == {}


# Metrics


async def test_the_gallery_is_counted_by_cluster_and_status(make: Make, metrics: Metrics) -> None:
    def entries(status: str) -> float | None:
        return metrics.registry.get_sample_value(
            "perennial_gallery_entries", {"cluster": "all", "status": status}
        )

    agent = make()
    await agent.handle(sent(*TRAIL, ELM, command("oak", Quarantine(entry_ids=("oak-1",)))))
    assert (entries("active"), entries("quarantined")) == (3, 1)
    assert metrics.registry.get_sample_value("perennial_threshold", {"cluster": "all"}) is not None
    await agent.handle(sent(command("oak", Erase()), command("elm", Erase())))
    assert (entries("active"), entries("quarantined")) == (None, None)
    assert metrics.registry.get_sample_value("perennial_threshold", {"cluster": "all"}) is None
