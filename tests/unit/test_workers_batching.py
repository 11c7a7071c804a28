"""Batches close by size or by deadline, and keep the order."""

import asyncio

from workers.service.batching import MicroBatcher

LONG_S = 3600.0


async def test_a_full_batch_does_not_wait() -> None:
    batcher: MicroBatcher[int] = MicroBatcher(3, LONG_S)
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


async def test_the_deadline_counts_from_the_first_item() -> None:
    loop = asyncio.get_running_loop()
    batcher: MicroBatcher[int] = MicroBatcher(100, 0.05)
    waiting = asyncio.create_task(batcher.take())
    await asyncio.sleep(0.02)
    first = loop.time()
    for item in range(5):
        batcher.put(item)
        await asyncio.sleep(0.005)
    batch = await waiting
    assert batch == [0, 1, 2, 3, 4]
    assert loop.time() - first >= 0.049


async def test_a_batch_that_is_overdue_goes_at_once_with_all_that_came() -> None:
    batcher: MicroBatcher[int] = MicroBatcher(4, 0.01)
    batcher.put(0)
    await asyncio.sleep(0.02)
    batcher.put(1)
    async with asyncio.timeout(0.005):
        assert await batcher.take() == [0, 1]


async def test_without_a_deadline_nothing_waits() -> None:
    batcher: MicroBatcher[int] = MicroBatcher(4, 0)
    batcher.put(0)
    assert await batcher.take() == [0]


async def test_many_workers_share_the_items_in_order() -> None:
    batcher: MicroBatcher[int] = MicroBatcher(2, 0.001)
    taken: list[list[int]] = []

    async def work() -> None:
        while True:
            taken.append(await batcher.take())

    workers = [asyncio.create_task(work()) for _ in range(3)]
    for item in range(21):
        batcher.put(item)
        if item % 3 == 0:
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while sum(map(len, taken)) < 21:
            await asyncio.sleep(0.001)
    for worker in workers:
        worker.cancel()
    assert [item for batch in taken for item in batch] == list(range(21))
    assert all(0 < len(batch) <= 2 for batch in taken)
