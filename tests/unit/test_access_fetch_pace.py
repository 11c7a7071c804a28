"""The pace of fetches is learnt from answers, as each kind of broker gives them."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer

from access import fetch_pace
from access.fetch_pace import FetchPace, keep_pace


class Clock:
    """Stands for ``monotonic``."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(fetch_pace, "monotonic", clock)
    return clock


def answer(pace: FetchPace, part: float, *, with_records: bool = True) -> int:
    """Let the next question be answered after this part of its wait, which is returned."""
    wait_ms = pace.wait_ms(whole=True)
    pace.answered(wait_ms, part * wait_ms / 1000, with_records=with_records)
    return wait_ms


def looking_only_now_and_then() -> FetchPace:
    """The pace of a broker that looks at half time."""
    pace = FetchPace()
    while pace.is_woken is None:
        answer(pace, 0.5)
    assert pace.is_woken is False
    return pace


def test_a_broker_that_is_woken_is_asked_with_long_waits() -> None:
    pace = FetchPace()
    assert [answer(pace, 0.01) for _ in range(100)] == [200] * 100, "that proves nothing"
    answer(pace, 0.3)
    assert pace.is_woken is None, "the machine may have held it up"
    answer(pace, 0.2)
    assert pace.wait_ms(whole=True) == 500
    assert pace.wait_ms(whole=False) == 50, "others must be able to join in"


@pytest.mark.parametrize("part", [0.5, 0.75, 1.0, 2.0])
def test_a_broker_that_looks_only_now_and_then_is_asked_briefly(part: float) -> None:
    pace = FetchPace()
    for _ in range(24):
        assert pace.is_woken is None
        answer(pace, part)
    assert pace.is_woken is False
    assert pace.wait_ms(whole=True) == pace.wait_ms(whole=False) == 10


def test_a_broker_that_was_taken_for_one_that_is_woken_is_found_out() -> None:
    pace = FetchPace()
    answer(pace, 0.3)
    answer(pace, 0.3)
    for _ in range(24):
        assert answer(pace, 0.5) == 500
    assert pace.is_woken is False


def test_a_broker_that_is_woken_stays_so_while_some_answers_tell_it() -> None:
    pace = FetchPace()
    for _ in range(1000):
        for part in (0.3, 0.7, 0.3, 0.9):
            answer(pace, part)
    assert pace.is_woken


def test_answers_without_records_prove_nothing() -> None:
    pace = FetchPace()
    for _ in range(100):
        answer(pace, 0.3, with_records=False)
        answer(pace, 1.0, with_records=False)
    assert pace.is_woken is None


def test_waits_grow_in_silence_and_are_short_again_with_the_first_record(clock: Clock) -> None:
    pace = looking_only_now_and_then()
    for _ in range(100):
        clock.now += 0.01
        answer(pace, 1.0, with_records=False)
    assert pace.wait_ms(whole=True) == 10, "one second of silence is none"
    clock.now += 3
    waits = [answer(pace, 1.0, with_records=False) for _ in range(7)]
    assert waits == [10, 20, 40, 80, 160, 200, 200]
    assert pace.wait_ms(whole=False) == 10
    answer(pace, 1.0)
    assert pace.wait_ms(whole=True) == 10


class Fetcher:
    """Stands for aiokafka's: two partitions on one node, whose broker is woken."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def _select_read_replica(self, _: str) -> int:
        return 1

    async def _proc_fetch_request(self, _: Any, __: int, request: Any) -> bool:
        self.asked.append(request._max_wait_ms)
        await asyncio.sleep(0.05)
        return True


async def test_a_consumer_keeps_the_pace() -> None:
    fetcher = Fetcher()
    keep_pace(cast(AIOKafkaConsumer, SimpleNamespace(_fetcher=fetcher)))
    assignment: Any = SimpleNamespace(tps=["a", "b"])
    both = SimpleNamespace(topics=[("t", [0, 1])], _max_wait_ms=0)
    one = SimpleNamespace(topics=[("t", [0])], _max_wait_ms=0)
    async with asyncio.timeout(60):
        while fetcher.asked[-1:] != [500]:
            assert await fetcher._proc_fetch_request(assignment, 1, both) is True
    await fetcher._proc_fetch_request(assignment, 1, one)
    assert fetcher.asked[-1] == 50
