"""The gallery agent interrupted: the index is a view, and is made right again."""

import pytest
from aiokafka.errors import KafkaConnectionError

from schemas.errors import DependencyDown
from schemas.gallery import (
    Erase,
    Quarantine,
)
from tests.fake_log import FakeLog
from tests.gallery_entries import MODEL, command, enrol
from tests.unit.streams_gallery.agent import (
    AXES,
    DOWN,
    ELM,
    TRAIL,
    FragileIndex,
    Make,
    entries_of,
    sent,
)


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


async def test_a_lost_index_is_made_anew_by_a_tick(make: Make, index: FragileIndex) -> None:
    agent = make()
    quarantine = command("oak", Quarantine(entry_ids=("oak-1",)))
    await agent.handle(sent(*TRAIL, ELM, quarantine))
    before = await index.state()
    await index.clear(await index.term())
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
    await index.clear(await index.term())
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
    await make(target_fpir=0.4).handle(sent(*along))
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
    log.kept.clear()
    await make().tick()
    assert await index.held() == {}


async def test_an_index_that_lost_an_entry_is_not_taken_for_whole(
    make: Make, index: FragileIndex
) -> None:
    await make().handle(sent(*TRAIL, ELM))
    index.lose_one()
    await make().tick()
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2", "elm-0"}


async def test_a_process_that_shards_otherwise_lays_the_index_out_otherwise(
    make: Make, index: FragileIndex, log: FakeLog
) -> None:
    winter = enrol("oak-w", "oak", AXES[0], background={"season": "winter"})
    await make().handle(sent(winter, ELM))
    await make(shard_by=("season",)).tick()
    assert await index.held() == {
        "oak-w": ("oak", "season=winter"),
        "elm-0": ("elm", "unclustered"),
    }
    assert log.end == 2
