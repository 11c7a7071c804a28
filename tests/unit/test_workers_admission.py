"""The budget bounds what is inside; turns of a line are taken in the order they were drawn."""

import asyncio

import pytest

from workers.service.admission import Budget, Turns


async def blocked(work: "asyncio.Task[None]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not work.done()


@pytest.mark.parametrize(
    ("count", "size", "inside", "asked"),
    [(2, 1000, [1, 1], 1), (10, 100, [60], 41), (10, 100, [100], 1)],
)
async def test_it_waits_for_room(count: int, size: int, inside: list[int], asked: int) -> None:
    budget = Budget(count, size)
    for piece in inside:
        await budget.acquire(piece)
    waiting = asyncio.create_task(budget.acquire(asked))
    assert await blocked(waiting)
    budget.release(inside[0])
    await asyncio.wait_for(waiting, 60)
    assert budget.count == len(inside)
    assert budget.size == sum(inside[1:]) + asked


async def test_what_fits_exactly_enters() -> None:
    budget = Budget(10, 100)
    await budget.acquire(60)
    await asyncio.wait_for(budget.acquire(40), 60)


async def test_a_piece_larger_than_the_budget_enters_alone() -> None:
    budget = Budget(10, 100)
    await asyncio.wait_for(budget.acquire(500), 60)
    waiting = asyncio.create_task(budget.acquire(1))
    assert await blocked(waiting)
    budget.release(500)
    await asyncio.wait_for(waiting, 60)


async def test_empty() -> None:
    budget = Budget(10, 100)
    await asyncio.wait_for(budget.empty(), 60)
    await budget.acquire(1)
    await budget.acquire(2)
    waiting = asyncio.create_task(budget.empty())
    budget.release(1)
    assert await blocked(waiting)
    budget.release(2)
    await asyncio.wait_for(waiting, 60)
    assert budget.size == 0


async def test_a_large_piece_is_not_overtaken_for_ever() -> None:
    budget = Budget(10, 100)
    await budget.acquire(60)
    large = asyncio.create_task(budget.acquire(80))
    assert await blocked(large)
    small = asyncio.create_task(budget.acquire(10))
    assert await blocked(small), "it fits, but comes later"
    large.cancel()
    await asyncio.wait_for(small, 60)
    assert (budget.count, budget.size) == (2, 70)


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
    async with asyncio.timeout(60), turns.draw("free"):
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
    async with asyncio.timeout(60), second:
        pass
