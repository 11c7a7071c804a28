"""A new layout that was cut off, lost or taken away is begun again, and never seen by halves."""

from pathlib import Path

import pytest

from schemas.errors import DependencyDown
from schemas.gallery import Erase
from tests.conditionings import DAY, activation
from tests.fake_log import FakeConditionings, FakeLog
from tests.gallery_entries import MODEL, command, enrol
from tests.unit.streams_gallery.agent import AXES, FragileIndex, Make, entries_of, sent
from tests.unit.streams_gallery.layouts import ENTRIES, FITTED, PLAIN


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
