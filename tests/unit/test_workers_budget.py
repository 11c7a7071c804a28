"""The budget bounds both the number and the bytes of what is inside."""

import asyncio

import pytest

from workers.service.budget import Budget


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
    await asyncio.wait_for(waiting, 1)
    assert budget.count == len(inside)
    assert budget.size == sum(inside[1:]) + asked


async def test_what_fits_exactly_enters() -> None:
    budget = Budget(10, 100)
    await budget.acquire(60)
    await asyncio.wait_for(budget.acquire(40), 1)


async def test_a_piece_larger_than_the_budget_enters_alone() -> None:
    budget = Budget(10, 100)
    await asyncio.wait_for(budget.acquire(500), 1)
    waiting = asyncio.create_task(budget.acquire(1))
    assert await blocked(waiting)
    budget.release(500)
    await asyncio.wait_for(waiting, 1)


async def test_empty() -> None:
    budget = Budget(10, 100)
    await asyncio.wait_for(budget.empty(), 1)
    await budget.acquire(1)
    await budget.acquire(2)
    waiting = asyncio.create_task(budget.empty())
    budget.release(1)
    assert await blocked(waiting)
    budget.release(2)
    await asyncio.wait_for(waiting, 1)
    assert budget.size == 0


async def test_a_large_piece_is_not_overtaken_for_ever() -> None:
    budget = Budget(10, 100)
    await budget.acquire(60)
    large = asyncio.create_task(budget.acquire(80))
    assert await blocked(large)
    small = asyncio.create_task(budget.acquire(10))
    assert await blocked(small), "it fits, but comes later"
    large.cancel()
    await asyncio.wait_for(small, 1)
    assert (budget.count, budget.size) == (2, 70)
