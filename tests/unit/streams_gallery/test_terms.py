"""The gallery agent as one of several: only who owns the commands writes."""

from contextlib import suppress
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from schemas.errors import PerennialError
from schemas.gallery import (
    Erase,
    Move,
    Quarantine,
)
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
