"""Another conditioning is wanted: the gallery is laid out anew beside the old layout."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from recognition.retain import RetentionRule
from schemas.errors import BadInput, DependencyDown
from schemas.gallery import Erase
from schemas.metrics import Metrics
from schemas.records import Record
from streams.index.base import Query
from tests.conditionings import DAY, NIGHT, activation, conditioning, saved
from tests.fake_log import FakeConditionings, FakeLog
from tests.gallery_entries import CAPTURED, MODEL, command, enrol
from tests.unit.streams_gallery.agent import (
    AXES,
    FragileIndex,
    Make,
    entries_of,
    quarantined,
    sent,
)

ENTRIES = [
    enrol("oak-day", "oak", AXES[0], background=DAY),
    enrol("oak-night", "oak", AXES[0] + AXES[1], background=NIGHT),
    enrol("elm-day", "elm", AXES[2], background=DAY),
    enrol("fir-dark", "fir", AXES[3]),
]
PLAIN = {
    "oak-day": ("oak", "all"),
    "oak-night": ("oak", "all"),
    "elm-day": ("elm", "all"),
    "fir-dark": ("fir", "all"),
}
FITTED = {
    "oak-day": ("oak", "c0"),
    "oak-night": ("oak", "c1"),
    "elm-day": ("elm", "c0"),
    "fir-dark": ("fir", "unclustered"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A conditioning by light: day is c0, night c1."""
    saved(tmp_path / "light", conditioning(4))
    return tmp_path / "light"


async def test_the_next_tick_lays_the_gallery_out_anew(
    make: Make,
    log: FakeLog,
    index: FragileIndex,
    conditionings: FakeConditionings,
    folder: Path,
    metrics: Metrics,
) -> None:
    agent = make()
    await agent.handle(sent(*ENTRIES))
    before = await index.named()
    wanted = activation(folder)
    conditionings.records = [wanted]
    assert await agent.on_activation_request([wanted.record("conditioning")]) == []
    await agent.tick()
    after = await index.named()
    assert await index.held() == FITTED
    assert index.spaces == {f"{MODEL}+{wanted.version}"}, "the old shards are swept"
    assert after.conditioning is not None
    assert after.conditioning.model_dump() == wanted.model_dump(
        include={"name", "version", "uri", "model"}
    )
    assert after.epoch != before.epoch, "a search that sees both is refused"
    assert (after.position, after.dimensions) == (before.position, before.dimensions)
    assert set(after.thresholds[MODEL]) == {"c0", "c1", "*"}
    assert all(shard.threshold is None for shard in after.models[MODEL].values())
    assert log.end == len(ENTRIES), "the truth has not changed"
    sample = metrics.registry.get_sample_value
    assert (
        sample("perennial_version", {"part": "conditioning", "version": str(wanted.version)}) == 1
    )
    assert sample("perennial_gallery_entries", {"cluster": "c0", "status": "active"}) == 2
    assert sample("perennial_threshold", {"cluster": "c1"}) == after.thresholds[MODEL]["c1"]


async def test_without_a_conditioning_it_is_plain_again(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    agent = make()
    await agent.handle(sent(*ENTRIES))
    before = await index.named()
    for record in (activation(folder), activation(None)):
        conditionings.records.append(record)
        await agent.on_activation_request([record.record("conditioning")])
        await agent.tick()
    after = await index.named()
    assert await index.held() == PLAIN
    assert index.spaces == {MODEL}
    assert after.conditioning is None
    assert after.models[MODEL].keys() == before.models[MODEL].keys()


async def test_until_all_is_written_searches_see_the_old_layout(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    agent = make()
    await agent.handle(sent(*ENTRIES))
    before = await index.named()
    seen = 0

    async def look() -> None:
        nonlocal seen
        seen += 1
        assert await index.named() == before
        assert await index.held() == PLAIN

    index.on_fill = look
    conditionings.records = [activation(folder)]
    await agent.on_activation_request([])
    await agent.tick()
    assert seen > 0
    with pytest.raises(DependencyDown):
        await index.search([Query(AXES[0], MODEL, ("all",))], 3, before.epoch)
    assert await index.held() == FITTED


async def test_commands_that_come_meanwhile_are_carried_out_after_it(
    make: Make, log: FakeLog, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    agent = make()
    await agent.handle(sent(*ENTRIES))
    at_work, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        at_work.set()
        await go_on.wait()

    index.on_fill = wait
    conditionings.records = [activation(folder)]
    await agent.on_activation_request([])
    moving = asyncio.create_task(agent.tick())
    await at_work.wait()
    index.on_fill = None
    late = asyncio.create_task(
        agent.handle(sent(enrol("ash", "ash", AXES[1] + AXES[2], background=NIGHT)))
    )
    await asyncio.sleep(0)
    assert log.end == len(ENTRIES), "it waits for its turn"
    go_on.set()
    await asyncio.gather(moving, late)
    assert await index.held() == {**FITTED, "ash": ("ash", "c1")}


@pytest.mark.parametrize("moment", ["before_fill", "before_write", "after_write"])
async def test_an_activation_that_is_cut_off_is_begun_again(
    make: Make,
    log: FakeLog,
    index: FragileIndex,
    conditionings: FakeConditionings,
    folder: Path,
    moment: str,
) -> None:
    """Also by another process; what the first attempt left does not come back."""
    first = make()
    await first.handle(sent(*ENTRIES))
    conditionings.records = [activation(folder)]
    await first.on_activation_request([])
    setattr(index, moment, [DependencyDown("redis", "gone")])
    with pytest.raises(DependencyDown):
        await first.tick()
    assert (await index.held()) == (FITTED if moment == "after_write" else PLAIN)
    second = make()
    await second.handle(sent(command("oak", Erase(entry_ids=("oak-day",)))))
    await second.tick()
    left = {entry_id: place for entry_id, place in FITTED.items() if entry_id != "oak-day"}
    assert await index.held() == left
    assert len(index.spaces) == 1
    assert set(entries_of(log)) == set(left)


async def test_an_activation_that_is_cut_off_goes_on_in_the_same_process(
    make: Make, log: FakeLog, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    agent = make()
    await agent.handle(sent(*ENTRIES))
    conditionings.records = [activation(folder)]
    await agent.on_activation_request([])
    index.before_fill = [DependencyDown("redis", "gone")]
    index.before_write = [DependencyDown("redis", "gone")]
    index.after_write = [DependencyDown("redis", "gone")]
    for _ in range(3):
        with pytest.raises(DependencyDown):
            await agent.tick()
    await agent.tick()
    assert await index.held() == FITTED
    await agent.handle(sent(enrol("ash", "ash", AXES[1], background=DAY)))
    assert await index.held() == {**FITTED, "ash": ("ash", "c0")}


async def test_shards_that_lose_entries_while_they_are_built_are_not_changed_over_to(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Redis restarts from a snapshot in between: its state is the same, the new shards are not."""
    monkeypatch.setattr("streams.gallery.index_writer._CHUNK", 2)
    agent = make()
    await agent.handle(sent(*ENTRIES))
    before, load = await index.named(), index.saved()

    async def restart() -> None:
        load()

    conditionings.records = [activation(folder)]
    await agent.on_activation_request([])
    index.on_fill = restart
    with pytest.raises(DependencyDown, match="lost entries"):
        await agent.tick()
    assert await index.named() == before
    index.on_fill = None
    await agent.tick()
    assert await index.held() == FITTED


async def test_who_lost_the_partition_does_not_change_over(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    owned: dict[str, int | None] = {"term": 1}
    agent = make(ownership=lambda: owned["term"])
    await agent.handle(sent(*ENTRIES))
    before = await index.named()

    async def lose() -> None:
        owned["term"] = None

    index.on_fill = lose
    conditionings.records = [activation(folder)]
    await agent.on_activation_request([])
    with pytest.raises(DependencyDown, match="taken away"):
        await agent.tick()
    assert await index.named() == before
    with pytest.raises(DependencyDown, match="taken away"):
        await agent.on_activation_request([activation(folder).record("conditioning")])


async def test_an_index_under_the_conditioning_is_known_again(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    conditionings.records = [activation(folder)]
    await make().handle(sent(*ENTRIES))
    await make().tick()
    before, writes = await index.named(), index.writes
    assert await index.held() == FITTED
    await make().tick()
    assert (await index.named(), index.writes) == (before, writes)


async def test_a_lost_index_is_made_anew_under_the_conditioning(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    conditionings.records = [activation(folder)]
    agent = make()
    await agent.handle(sent(*ENTRIES))
    await agent.tick()
    before = await index.named()
    for process in (agent, make()):
        await index.clear(await index.term())
        await process.tick()
        after = await index.named()
        assert await index.held() == FITTED
        assert after.epoch != before.epoch
        assert after.conditioning == before.conditioning
        assert after.thresholds[MODEL] == pytest.approx(before.thresholds[MODEL], abs=1e-4)


async def test_an_artefact_of_a_model_without_entries_waits_for_them(
    make: Make, index: FragileIndex, conditionings: FakeConditionings, tmp_path: Path
) -> None:
    saved(tmp_path, conditioning(6), model="new@1")
    conditionings.records = [activation(tmp_path)]
    agent = make()
    await agent.handle(sent(*ENTRIES))
    await agent.tick()
    assert await index.held() == PLAIN
    assert (await index.named()).dimensions == {MODEL: 4, "new@1": 6}
    six = [1.0, 0, 0, 0, 0, 0]
    with pytest.raises(BadInput, match="entries of new@1 have 6"):
        await agent.handle(sent(enrol("new", "oak", AXES[0], model="new@1")))
    await agent.handle(sent(enrol("new", "oak", six, model="new@1", background=NIGHT)))
    state = await index.named()
    assert state.models["new@1"]["c1"].entries == 1
    assert state.shards[state.space("new@1"), "c1"] == 1
    assert state.space(MODEL) == MODEL


async def test_retention_weighs_an_identity_within_the_fitted_cluster(
    make: Make, log: FakeLog, index: FragileIndex, conditionings: FakeConditionings, folder: Path
) -> None:
    conditionings.records = [activation(folder)]
    agent = make(rule=RetentionRule(newest=1, mad_cutoff=None))
    await agent.handle(sent(*ENTRIES))
    assert set(quarantined(log)) == set()
    later = CAPTURED + timedelta(days=1)
    await agent.handle(
        sent(enrol("oak-later", "oak", AXES[1], background=NIGHT, captured_at=later))
    )
    assert set(quarantined(log)) == {"oak-night"}


async def test_what_is_no_activation_is_bad_input(make: Make) -> None:
    with pytest.raises(BadInput, match="Activation"):
        await make().on_activation_request([Record("conditioning", b"x", b"{}")])
