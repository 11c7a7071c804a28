"""Batches for an agent: all that came, in order, and nothing that is another's by now."""

import asyncio
from collections.abc import AsyncIterator

from streams.kafka.taking import batches

LONG_S = 3600.0


class Seen:
    """Stands for Faust's event."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.acked = False

    def ack(self) -> None:
        self.acked = True


def queue_of(*numbers: int) -> "asyncio.Queue[Seen]":
    queue: asyncio.Queue[Seen] = asyncio.Queue()
    for number in numbers:
        queue.put_nowait(Seen(number))
    return queue


async def numbers(taken: AsyncIterator[list[Seen]]) -> list[int]:
    async with asyncio.timeout(60):
        return [event.number for event in await anext(taken)]


async def test_a_full_batch_does_not_wait() -> None:
    taken = batches(queue_of(*range(5)), 2, LONG_S, lambda _: True)
    assert await numbers(taken) == [0, 1]
    assert await numbers(taken) == [2, 3]


async def test_the_first_waits_for_others_but_not_for_long() -> None:
    queue = queue_of(0)
    taken = batches(queue, 3, 0.05, lambda _: True)
    taking = asyncio.ensure_future(numbers(taken))
    await asyncio.sleep(0.01)
    assert not taking.done()
    queue.put_nowait(Seen(1))
    assert await taking == [0, 1]


async def test_without_a_wait_it_takes_what_there_is() -> None:
    assert await numbers(batches(queue_of(0, 1), 8, 0, lambda _: True)) == [0, 1]


async def test_what_is_anothers_by_now_is_left_out() -> None:
    queue = queue_of(0, 1, 2, 3)
    events = list(queue._queue)  # type: ignore[attr-defined]
    taken = batches(queue, 2, LONG_S, lambda event: event.number not in (0, 1, 3))
    queue.put_nowait(Seen(4))
    assert await numbers(taken) == [2]
    assert [event.acked for event in events] == [True, True, False, True]


async def test_it_ends_when_faust_says_so() -> None:
    class Ending(asyncio.Queue[Seen]):
        async def get(self) -> Seen:
            raise StopAsyncIteration

    assert [taken async for taken in batches(Ending(), 2, LONG_S, lambda _: True)] == []


async def test_nothing_is_lost_when_the_wait_is_over() -> None:
    queue = queue_of()
    taken = batches(queue, 4, 0.001, lambda _: True)
    seen: list[int] = []
    putting = asyncio.ensure_future(_slowly(queue, 200))
    async with asyncio.timeout(60):
        while len(seen) < 200:
            seen += [event.number for event in await anext(taken)]
    await putting
    assert seen == list(range(200))


async def _slowly(queue: "asyncio.Queue[Seen]", count: int) -> None:
    for number in range(count):
        queue.put_nowait(Seen(number))
        await asyncio.sleep(0.001 * (number % 3))
