"""Batches close by size, by a deadline or because nothing else is coming, and keep the order."""

import asyncio

import pytest

from workers.service.batching import MicroBatcher

LONG_S = 3600.0


def batcher_of(size: int, deadline_s: float, *, coming: bool = True) -> MicroBatcher[int]:
    return MicroBatcher(lambda: size, deadline_s, lambda: coming)


async def test_a_full_batch_does_not_wait() -> None:
    batcher = batcher_of(3, LONG_S)
    for item in range(7):
        batcher.put(item)
    assert await batcher.take() == [0, 1, 2]
    assert await batcher.take() == [3, 4, 5]
    assert len(batcher) == 1
    waiting = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    assert not waiting.done(), "one item of three, and the deadline is far"
    batcher.put(7)
    batcher.put(8)
    assert await waiting == [6, 7, 8]


class Clock:
    """The time of an event loop, which goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self._now)

    async def go_on(self, seconds: float) -> None:
        """Let time pass, and whatever then is due be done."""
        self._now += seconds
        for _ in range(5):
            await asyncio.sleep(0)


async def test_the_deadline_counts_from_the_first_item(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    batcher = batcher_of(100, 0.05)
    waiting = asyncio.create_task(batcher.take())
    await clock.go_on(0.02)
    for item in range(5):
        batcher.put(item)
        await clock.go_on(0.005)
    await clock.go_on(0.024)
    assert not waiting.done(), "49 ms after the first"
    await clock.go_on(0.002)
    assert await waiting == [0, 1, 2, 3, 4]


async def test_a_batch_that_is_overdue_goes_at_once_with_all_that_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    batcher = batcher_of(4, 0.01)
    batcher.put(0)
    await clock.go_on(0.02)
    batcher.put(1)
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    assert taking.done(), "it does not wait"
    assert taking.result() == [0, 1]


async def test_without_a_deadline_nothing_waits() -> None:
    batcher = batcher_of(4, 0)
    batcher.put(0)
    assert await batcher.take() == [0]


async def test_many_workers_share_the_items_in_order() -> None:
    batcher = batcher_of(2, 0.001)
    taken: list[list[int]] = []

    async def work() -> None:
        while True:
            taken.append(await batcher.take())

    workers = [asyncio.create_task(work()) for _ in range(3)]
    for item in range(21):
        batcher.put(item)
        if item % 3 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while sum(map(len, taken)) < 21:
            await asyncio.sleep(0.001)
    for worker in workers:
        worker.cancel()
    assert [item for batch in taken for item in batch] == list(range(21))
    assert all(0 < len(batch) <= 2 for batch in taken)


async def test_an_item_that_comes_alone_is_taken_at_once() -> None:
    batcher = batcher_of(8, LONG_S, coming=False)
    batcher.put(0)
    assert await batcher.take() == [0]
    taking = asyncio.create_task(batcher.take())
    await asyncio.sleep(0)
    batcher.put(1)
    assert await taking == [1]


async def test_who_is_free_shares_what_there_is() -> None:
    batcher = batcher_of(8, LONG_S, coming=False)
    taking = [asyncio.create_task(batcher.take()) for _ in range(2)]
    await asyncio.sleep(0)
    for item in range(6):
        batcher.put(item)
    assert await asyncio.gather(*taking) == [[0, 1, 2], [3, 4, 5]]
