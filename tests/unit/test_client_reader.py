"""Reading topics without a broker: where newest records lie that not every offset has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from client.reader import Reader, newest_of
from schemas.settings import load_settings

NOWHERE = load_settings(kafka_bootstrap_servers="nowhere:1")


class Log:
    """A consumer of partitions that have records at some of their offsets."""

    def __init__(self, offsets: Mapping[int, Iterable[int]], ends: Mapping[int, int]) -> None:
        self._offsets = {TopicPartition("t", n): sorted(held) for n, held in offsets.items()}
        self._ends = {TopicPartition("t", n): end for n, end in ends.items()}
        self._at = dict.fromkeys(self._offsets, 0)
        self._clock = count()
        self._polled: dict[TopicPartition, int | None] = defaultdict(lambda: None)
        self.reads = 0

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._offsets)

    async def beginning_offsets(self, _: object) -> dict[TopicPartition, int]:
        return {place: held[0] if held else 0 for place, held in self._offsets.items()}

    async def end_offsets(self, _: object) -> dict[TopicPartition, int]:
        return self._ends

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._at[place] = offset
        self.reads += 1

    async def position(self, place: TopicPartition) -> int:
        return self._at[place]

    def last_stable_offset(self, place: TopicPartition) -> int:
        return self._ends[place]

    def last_poll_timestamp(self, place: TopicPartition) -> int | None:
        return self._polled[place]

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms
        assert max_records
        fetched = {}
        for place in places:
            held = self._offsets[place]
            fetched[place] = [_record(place, n) for n in held if n >= self._at[place]]
            self._at[place], self._polled[place] = self._ends[place], next(self._clock)
        return fetched


def _record(place: TopicPartition, offset: int) -> Any:
    return ConsumerRecord(
        *(place.topic, place.partition, offset, offset, 0, None, b"v", None, -1, -1, ())
    )


@pytest.mark.parametrize(
    ("held", "asked", "wanted"),
    [
        (range(100), 3, [97, 98, 99]),
        ([1, 4, 90], 3, [1, 4, 90]),  # compacted
        ([*range(40), 99], 5, [36, 37, 38, 39, 99]),  # then aborted
        ([], 5, []),
        ([60], 5, [60]),  # the first ones are deleted
    ],
)
async def test_as_many_records_are_returned_as_were_asked_for(
    held: Iterable[int], asked: int, wanted: list[int]
) -> None:
    log = Log({0: held, 1: range(90, 100)}, {0: 100, 1: 100})
    kept = await newest_of(Reader(cast(AIOKafkaConsumer, log), NOWHERE), asked)
    assert [record.offset for record in kept if record.partition == 0] == wanted
    assert [r.offset for r in kept if r.partition == 1] == list(range(100 - asked, 100))


async def test_it_goes_no_farther_back_than_it_must() -> None:
    log = Log({0: range(1000)}, {0: 1000})
    await newest_of(Reader(cast(AIOKafkaConsumer, log), NOWHERE), 10)
    assert log.reads == 1
