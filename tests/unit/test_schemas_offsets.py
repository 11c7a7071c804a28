"""An offset may be committed once every record up to it is settled."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.offsets import Offsets
from schemas.records import Record


def record(offset: int, partition: int = 0) -> Record:
    return Record("frames", None, b"", (), partition, offset)


def test_the_slowest_record_holds_back_the_rest() -> None:
    offsets = Offsets()
    settle = [offsets.begin(record(i)) for i in (5, 6, 7, 9)]
    settle[1]()
    settle[2]()
    assert offsets.due() == {}
    settle[0]()
    assert offsets.due() == {("frames", 0): 8}
    settle[3]()
    assert offsets.due() == {("frames", 0): 10}


def test_what_is_committed_is_due_no_more() -> None:
    offsets = Offsets()
    offsets.begin(record(1))()
    offsets.begin(record(4, partition=1))()
    due = offsets.due()
    assert due == {("frames", 0): 2, ("frames", 1): 5}
    offsets.committed({("frames", 0): 2})
    assert offsets.due() == {("frames", 1): 5}
    offsets.begin(record(2))()
    assert offsets.due() == {("frames", 0): 3, ("frames", 1): 5}


def test_after_a_rebalance_old_work_counts_no_more() -> None:
    offsets = Offsets()
    old = offsets.begin(record(1))
    offsets.forget()
    old()
    assert offsets.due() == {}
    offsets.begin(record(0))()
    assert offsets.due() == {("frames", 0): 1}


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.permutations(range(n)))))
def test_against_a_plain_count(case: tuple[int, list[int]]) -> None:
    count, order = case
    offsets = Offsets()
    settle = [offsets.begin(record(i)) for i in range(count)]
    settled: set[int] = set()
    for offset in order:
        settle[offset]()
        settled.add(offset)
        up_to = next(i for i in range(count + 1) if i not in settled)
        assert offsets.due() == ({("frames", 0): up_to} if up_to else {})


async def test_one_record_that_is_not_settled_holds_back_reading_at_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("schemas.offsets.MAX_AHEAD", 3)
    offsets = Offsets()
    oldest = offsets.begin(record(0))
    for offset in range(1, 4):
        await offsets.room(record(offset))
        offsets.begin(record(offset))()
    waiting = asyncio.create_task(offsets.room(record(4)))
    await asyncio.wait_for(offsets.room(record(4, partition=1)), 60)
    assert not waiting.done()
    oldest()
    await asyncio.wait_for(waiting, 60)


async def test_a_rebalance_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.offsets.MAX_AHEAD", 1)
    offsets = Offsets()
    offsets.begin(record(0))
    offsets.begin(record(1))()
    waiting = asyncio.create_task(offsets.room(record(2)))
    await asyncio.sleep(0)
    offsets.forget()
    await asyncio.wait_for(waiting, 60)


def test_what_is_passed_is_settled_with_what_comes_before_it() -> None:
    offsets = Offsets()
    settle = offsets.begin(record(4))
    offsets.passed(("frames", 0), 5)  # the record itself
    offsets.passed(("frames", 0), 7)  # two that were none
    assert offsets.due() == {}
    settle()
    assert offsets.due() == {("frames", 0): 7}
    offsets.begin(record(7))
    assert offsets.due() == {("frames", 0): 7}
