"""The gallery agent: commands in, entries on the topic and in the index; erase leaves nothing."""

import numpy as np
import pytest

from recognition.cluster import UNCLUSTERED
from schemas.errors import BadInput
from schemas.gallery import (
    Erase,
    Erased,
    Move,
    Quarantine,
    Restore,
)
from schemas.metrics import Metrics
from schemas.quality import Quality
from schemas.records import Record
from streams.index.base import Query
from tests.fake_log import FakeLog
from tests.gallery_entries import MODEL, command, enrol
from tests.unit.streams_gallery.agent import (
    AXES,
    ELM,
    TRAIL,
    FragileIndex,
    Make,
    entries_of,
    sent,
)


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
    assert state.position == 4, "after the claim of the term"


async def test_an_entry_keeps_the_quality_of_its_picture(make: Make, log: FakeLog) -> None:
    quality = Quality(sharpness=0.2, size=50, dark=0, bright=0, overall=0.86)
    enrolled = enrol("oak-9", "oak", AXES[0], quality=quality)
    await make().handle(sent(*TRAIL, enrolled))
    entries = entries_of(log)
    assert (entries["oak-9"].quality, entries["oak-0"].quality) == (quality, None)


async def test_a_gallery_of_many_has_a_threshold(
    make: Make, index: FragileIndex, metrics: Metrics
) -> None:
    rng = np.random.default_rng(0)
    many = [enrol(f"e{i}", f"id{i}", rng.normal(size=4)) for i in range(30)]
    await make(target_fpir=0.5).handle(sent(*many))
    threshold = (await index.named()).models[MODEL]["all"].threshold
    assert threshold is not None
    told = metrics.registry.get_sample_value("perennial_threshold", {"cluster": "all"})
    assert told == threshold


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
    await index.clear(await index.term())
    await make().tick()
    assert set(await index.held()) == {"elm-0"}


async def test_when_all_is_erased_no_shard_is_left(make: Make, index: FragileIndex) -> None:
    agent = make()
    await agent.handle(sent(*TRAIL))
    await agent.handle(sent(command("oak", Erase())))
    state = await index.state()
    assert state is not None
    assert state.models == {}


async def test_the_gallery_is_counted_by_cluster_and_status(make: Make, metrics: Metrics) -> None:
    def entries(status: str) -> float | None:
        return metrics.registry.get_sample_value(
            "perennial_gallery_entries", {"cluster": "all", "status": status}
        )

    agent = make()
    await agent.handle(sent(*TRAIL, ELM))
    await agent.handle(sent(command("oak", Quarantine(entry_ids=("oak-1",)))))
    assert (entries("active"), entries("quarantined")) == (3, 1)
    await agent.handle(sent(command("oak", Erase()), command("elm", Erase())))
    assert (entries("active"), entries("quarantined")) == (None, None)
    assert metrics.registry.get_sample_value("perennial_threshold", {"cluster": "all"}) is None
