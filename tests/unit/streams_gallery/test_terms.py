"""The gallery agent as one of several: only who owns the commands writes."""

from contextlib import suppress
from time import monotonic
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from schemas.errors import DependencyDown, PerennialError
from schemas.gallery import (
    Erase,
    Move,
    Quarantine,
)
from streams.gallery.tenure import YIELD_S
from tests.fake_log import FakeLog
from tests.gallery_entries import command, enrol
from tests.unit.streams_gallery.agent import (
    AXES,
    ELM,
    TRAIL,
    FragileIndex,
    Make,
    entries_of,
    sent,
)


async def test_a_new_term_reads_what_another_wrote(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    terms: dict[str, int | None] = {"first": 1, "second": None}
    first = make(ownership=lambda: terms["first"])
    second = make(ownership=lambda: terms["second"])
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
    assert log.reads == 1


async def test_without_the_partition_a_tick_does_nothing(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    await make(ownership=lambda: None).tick()
    assert log.reads == 0
    assert log.kept == [], "nor does it claim a term"
    assert await index.state() is None


async def test_without_the_partition_the_index_of_the_owner_is_left_alone(
    make: Make, index: FragileIndex
) -> None:
    """A batch may still be at work when its partition is taken away, or not yet known as ours."""
    await make().handle(sent(*TRAIL))
    late = make(ownership=lambda: None)
    with suppress(PerennialError):
        await late.handle(sent(ELM))
    assert {"oak-0", "oak-1", "oak-2"} <= set(await index.held())


async def test_an_owner_of_long_ago_forgets_what_was_erased_meanwhile(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    """After a day compaction drops the tombstone too: nothing on the topic tells of it."""
    terms: dict[str, int | None] = {"first": 1}
    first = make(ownership=lambda: terms["first"])
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

    async def broken(after: int, through: int | None) -> Any:
        async for record in read(after, through):
            yield record
            raise KafkaConnectionError("gone")

    monkeypatch.setattr(log, "read", broken)
    agent = make()
    with pytest.raises(KafkaConnectionError):
        await agent.tick()
    monkeypatch.setattr(agent._tenure._log, "_read", read)
    await agent.tick()
    assert len(await index.held()) == 3


async def test_an_owner_that_was_paused_leaves_topic_and_index_to_the_next(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    """The group tells it late: meanwhile it still holds itself for the owner."""
    paused, second = make(), make()
    await paused.handle(sent(*TRAIL))
    await second.handle(sent(command("oak", Move(action="rename", to="ash"))))
    for _ in range(3):
        with pytest.raises(DependencyDown, match="gallery"):
            await paused.handle(sent(ELM))
    await second.handle(sent(enrol("fir-0", "fir", AXES[2])))
    found = {i: e.identity for i, e in log.fold().entries.items()}
    assert found == {"oak-0": "ash", "oak-1": "ash", "oak-2": "ash", "fir-0": "fir"}
    assert {i: identity for i, (identity, _) in (await index.held()).items()} == found


async def test_an_owner_that_was_overruled_claims_again_when_the_group_says_so(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    here = {"first": 1}
    first, second = make(ownership=lambda: here["first"]), make()
    await first.handle(sent(*TRAIL))
    await second.handle(sent(ELM))
    with pytest.raises(DependencyDown):
        await first.handle(sent(ELM))
    here["first"] = 2
    await first.handle(sent(command("oak", Erase())))
    assert log.fold().term == 3
    assert set(await index.held()) == {"elm-0"}


async def test_a_claim_that_was_the_last_act_of_an_owner_before_us_is_outlived(
    make: Make, log: FakeLog, index: FragileIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, before = make(), make()
    await owner.handle(sent(*TRAIL))
    await before.tick()
    with pytest.raises(DependencyDown):
        await owner.handle(sent(ELM))
    now = monotonic()
    monkeypatch.setattr("streams.gallery.tenure.monotonic", lambda: now + YIELD_S + 1)
    await owner.handle(sent(ELM))
    assert set(await index.held()) == {"oak-0", "oak-1", "oak-2", "elm-0"}
    assert log.fold().term == 3


async def test_terms_go_on_above_those_of_an_index_whose_log_was_lost(
    make: Make, log: FakeLog, index: FragileIndex
) -> None:
    for _ in range(3):
        await make().handle(sent(*TRAIL))
    log.kept.clear()
    await make().handle(sent(ELM))
    assert set(await index.held()) == {"elm-0"}
