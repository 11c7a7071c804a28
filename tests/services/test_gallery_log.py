"""The ``gallery`` topic on a real broker: written under a term, read whole, and read on."""

from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from schemas.errors import DependencyDown
from schemas.gallery import Erased, under_term
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, GALLERY
from streams.kafka.gallery_topic import KafkaGalleryLog
from streams.kafka.producer import KafkaPublisher
from tests.gallery_entries import CAPTURED, entry
from tests.services.kafka import collecting, eventually, put

Make = Callable[[], KafkaGalleryLog]


def allowed() -> None:
    """The consumer group says that the gallery is ours."""


@pytest.fixture
async def make(settings: Settings) -> AsyncIterator[Make]:
    """Return what makes one more owner's log."""
    publisher = KafkaPublisher(settings)
    await publisher.start()
    made: list[KafkaGalleryLog] = []

    def log() -> KafkaGalleryLog:
        made.append(KafkaGalleryLog(settings, publisher))
        return made[-1]

    yield log
    for one in made:
        await one.aclose()
    await publisher.stop()


@pytest.fixture
async def log(make: Make) -> KafkaGalleryLog:
    made = make()
    await made.claim(allowed)
    return made


async def test_the_first_claim_on_an_empty_topic_is_term_1(log: KafkaGalleryLog) -> None:
    assert (log.term, log.fold.entries) == (1, {})


async def test_what_is_appended_is_read_back_and_read_whole(
    log: KafkaGalleryLog, make: Make
) -> None:
    entries = [entry(f"e{i}", "oak", [1, i]) for i in range(50)]
    applied = await log.append(entries)
    assert [(change.entry_id, offset) for change, offset in applied] == [
        (f"e{i}", i + 1) for i in range(50)
    ]
    await log.append([Erased("e7", CAPTURED)])
    again = make()
    await again.claim(allowed)
    assert again.term == 2
    assert set(again.fold.entries) == {f"e{i}" for i in range(50)} - {"e7"}
    assert np.array_equal(again.fold.entries["e0"].vector, entries[0].vector)
    assert (again.fold.erasures.at("e7"), again.fold.erasures.at("e0")) == (CAPTURED, None)


async def test_it_is_read_on_from_where_one_was(log: KafkaGalleryLog, settings: Settings) -> None:
    assert await log.check() == []
    foreign = [entry(f"e{i}", "oak", [1, i]).record(settings.topic(GALLERY)) for i in range(5)]
    await put(settings, [under_term(record, 1) for record in foreign])
    assert [change.entry_id for change, _ in await log.check()] == [f"e{i}" for i in range(5)]
    assert await log.check() == []


async def test_the_claim_of_another_ends_a_term(log: KafkaGalleryLog, make: Make) -> None:
    await log.append([entry("a", "oak", [1, 0])])
    second = make()
    await second.claim(allowed)
    with pytest.raises(DependencyDown, match="claimed term 2"):
        await log.append([entry("a", "elm", [1, 0])])
    await second.check()
    assert second.fold.entries["a"].identity == "oak"
    await log.claim(allowed)
    assert (log.term, log.fold.entries["a"].identity) == (3, "oak")


async def test_a_record_that_cannot_be_read_is_set_aside(
    log: KafkaGalleryLog, settings: Settings
) -> None:
    await log.append([entry("e0", "oak", [1, 0])])
    bad = Record(settings.topic(GALLERY), b"entry:e1", b'{"schema_version": 9}')
    async with collecting(settings, DEAD_LETTERS) as found:
        await put(settings, [bad])
        await log.append([entry("e2", "oak", [0, 1])])
        await eventually(lambda: len(found) == 1, "the dead letter")
    assert found[0].value == bad.value
    assert set(log.fold.entries) == {"e0", "e2"}
