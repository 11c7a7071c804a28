"""Turns of one line are taken in the order they were drawn; lines do not wait for each other."""

import asyncio

from workers.service.ordering import Turns


async def test_order_within_a_line() -> None:
    turns, taken = Turns(), list[int]()

    async def work(number: int, turn: object) -> None:
        await asyncio.sleep((9 - number) * 0.001)
        async with turns_of[number]:
            taken.append(number)

    turns_of = [turns.draw("a") for _ in range(10)]
    await asyncio.gather(*(work(i, turn) for i, turn in enumerate(turns_of)))
    assert taken == list(range(10))


async def test_a_line_that_is_stuck_holds_up_no_other() -> None:
    turns = Turns()
    turns.draw("stuck")
    behind = asyncio.create_task(turns.draw("stuck").__aenter__())
    async with asyncio.timeout(1), turns.draw("free"):
        pass
    assert not behind.done()
    behind.cancel()


async def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    first, second = turns.draw("a"), turns.draw("a")
    try:
        async with first:
            raise KeyError
    except KeyError:
        pass
    async with asyncio.timeout(1), second:
        pass
