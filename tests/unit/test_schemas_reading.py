"""One partition that cannot be read costs no record of the others, and is passed in the end."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from schemas.errors import BadInput, DependencyDown, NotAllowed
from schemas.metrics import Metrics
from schemas.reading import ATTEMPTS, Chunk, Reading
from schemas.records import Record


class Place(NamedTuple):
    topic: str
    partition: int


A, B = Place("frames", 0), Place("frames", 1)
PROBLEM = BadInput("bad", "worse")


def record(place: Place, offset: int, problem: BadInput | None = None) -> Record:
    return Record(place.topic, None, b"", (), place.partition, offset, problem=problem)


class Client:
    """Stands for aiokafka's consumer: it raises at a bad offset, and hands out what lies before."""

    def __init__(self, ends: dict[Place, int], bad: dict[Place, set[int]]) -> None:
        self.ends, self.bad = ends, bad
        self.at = dict.fromkeys(ends, 0)
        self.skips = 0

    async def getmany(
        self, *places: Place, timeout_ms: int, max_records: int
    ) -> dict[Place, list[Record]]:
        assert max_records > 0
        [place] = places
        if self.at[place] >= self.ends[place]:
            await asyncio.sleep(timeout_ms / 1000)
            return {}
        if self.at[place] in self.bad[place]:
            self.at[place] += self.skips
            raise ValueError("broken")
        offset = self.at[place]
        self.at[place] += 1
        return {place: [record(place, offset)]}

    async def position(self, place: Place) -> int:
        return self.at[place]

    def seek(self, place: Place, offset: int) -> None:
        self.at[place] = offset


async def second(topic: str, partition: int, offset: int) -> Chunk:
    """Stands for a reader that sets one record aside."""
    return Chunk((record(Place(topic, partition), offset, PROBLEM),), offset + 1)


async def drain(reading: Reading, client: Client, places: tuple[Place, ...]) -> list[Record]:
    """Read until all is read."""
    found: list[Record] = []
    async with asyncio.timeout(60):
        while any(client.at[place] < client.ends[place] for place in places):
            batch = await reading(client, places, timeout_s=0.01, most=8)
            found.extend(r for records in batch.values() for r in records)
    return found


@pytest.mark.parametrize("skips", [0, 1])
async def test_all_is_handed_on_once_and_the_bad_one_with_its_problem(
    metrics: Metrics, skips: int
) -> None:
    client = Client({A: 20, B: 5}, {A: set(), B: {0, 3}})
    client.skips = skips
    found = await drain(Reading(second, metrics), client, (A, B))
    assert sorted((r.partition, r.offset) for r in found) == [
        *((0, n) for n in range(20)),
        *((1, n) for n in range(5)),
    ]
    assert [(r.partition, r.offset) for r in found if r.problem] == [(1, 0), (1, 3)]
    vain = metrics.registry.get_sample_value("perennial_retries_total", {"stage": "read"})
    assert vain == 2 * ATTEMPTS


async def refuse(*_: Any) -> Chunk:
    raise OSError("nobody answers")


@pytest.mark.parametrize("reader", [None, refuse])
async def test_what_nobody_reads_waits_and_the_others_go_on(
    metrics: Metrics, reader: Callable[..., Any] | None
) -> None:
    client = Client({A: 20, B: 5}, {A: set(), B: {2}})
    reading, found = Reading(reader, metrics), 0
    waits: list[str] = []
    async with asyncio.timeout(60):
        while found < 22 or len(waits) < 2:
            try:
                batch = await reading(client, (A, B), timeout_s=0.01, most=8)
            except DependencyDown as error:
                waits.append(str(error))
            else:
                found += sum(len(records) for records in batch.values())
    assert client.at == {A: 20, B: 2}
    assert all("frames-1 from 2 on" in wait for wait in waits)


async def test_what_was_moved_meanwhile_is_read_from_there(metrics: Metrics) -> None:
    client = Client({B: 5}, {B: {2}})

    async def slow(topic: str, partition: int, offset: int) -> Chunk:
        client.seek(B, 0)
        client.bad[B] = set()
        return await second(topic, partition, offset)

    found = await drain(Reading(slow, metrics), client, (B,))
    assert [r.offset for r in found] == [0, 1, 0, 1, 2, 3, 4]


async def test_failures_of_partitions_that_went_away_are_forgotten(metrics: Metrics) -> None:
    client = Client({A: 1, B: 1}, {A: set(), B: {0}})
    reading = Reading(refuse, metrics)
    for _ in range(2 * ATTEMPTS):
        await reading(client, (B,), timeout_s=0.01, most=8)
        await reading(client, (A,), timeout_s=0.01, most=8)


async def test_without_partitions_at_most_one_record_is_taken(metrics: Metrics) -> None:
    asked: list[dict[str, int]] = []

    class Idle(Client):
        async def getmany(self, *places: Place, **how: int) -> dict[Place, list[Record]]:
            assert places == ()
            asked.append(how)
            return {A: [record(A, 0)]}

    found = await Reading(second, metrics)(Idle({}, {}), (), timeout_s=0.2, most=8)
    assert found == {A: [record(A, 0)]}
    assert asked == [{"timeout_ms": 200, "max_records": 1}]


async def test_what_may_not_be_read_is_waited_for_and_costs_the_others_nothing(
    metrics: Metrics,
) -> None:
    class Refusing(Client):
        async def getmany(
            self, *places: Place, timeout_ms: int, max_records: int
        ) -> dict[Place, list[Record]]:
            if places == (A,):
                raise NotAllowed("kafka", "Read on topic frames")
            return await super().getmany(*places, timeout_ms=timeout_ms, max_records=max_records)

    client, reading = Refusing({A: 1, B: 1}, {A: set(), B: set()}), Reading(second, metrics)
    read = await reading(client, (A, B), timeout_s=1, most=8)
    assert [r.partition for records in read.values() for r in records] == [1]
    for _ in range(2 * ATTEMPTS):
        with pytest.raises(NotAllowed):
            await reading(client, (A,), timeout_s=1, most=8)
    assert client.at[A] == 0, "the second reader was not asked, and nothing was set aside"
