"""Another conditioning is wanted: the gallery is laid out anew beside the old layout."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from recognition.retain import RetentionRule
from schemas.errors import BadInput, DependencyDown
from schemas.metrics import Metrics
from schemas.records import Record
from streams.index.base import Query
from tests.conditionings import NIGHT, activation, conditioning, saved
from tests.fake_log import FakeConditionings, FakeLog
from tests.gallery_entries import CAPTURED, MODEL, enrol
from tests.unit.streams_gallery.agent import AXES, FragileIndex, Make, quarantined, sent
from tests.unit.streams_gallery.layouts import ENTRIES, FITTED, PLAIN


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
