import asyncio

import pytest

from infra.demo.run import Pace, Window


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def enters(window: Window, frame_id: str) -> asyncio.Task[None]:
    """Start to enter, and go as far as that gets without anybody leaving."""
    task = asyncio.create_task(window.enter(frame_id))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_a_full_window_holds_the_next_frame_until_one_leaves() -> None:
    window = Window(2, patience_s=60)
    await window.enter("a")
    await window.enter("b")
    third = await enters(window, "c")
    assert not third.done()
    window.leave("a")
    await third
    assert len(window) == 2


async def test_leaving_frees_one_place_for_one_frame() -> None:
    window = Window(1, patience_s=60)
    await window.enter("a")
    waiting = [await enters(window, name) for name in "bc"]
    window.leave("a")
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.done() for task in waiting] == [True, False]
    window.leave("b")
    await waiting[1]


async def test_leaving_twice_or_unknown_frees_nothing() -> None:
    window = Window(1, patience_s=60)
    await window.enter("a")
    window.leave("stranger")
    second = await enters(window, "b")
    assert not second.done()
    window.leave("a")
    await second
    window.leave("a")
    third = await enters(window, "c")
    assert not third.done()
    third.cancel()


async def test_a_frame_that_never_ends_stops_holding_others_back() -> None:
    clock = Clock()
    window = Window(1, patience_s=5, clock=clock)
    await window.enter("lost")
    clock.now += 6
    await window.enter("next")
    assert len(window) == 1


def test_pace_spreads_evenly() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    assert [pace.delay() for _ in range(3)] == pytest.approx([0, 0.1, 0.2])


def test_pace_does_not_make_up_for_lost_time() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    pace.delay()
    clock.now += 5
    assert [pace.delay() for _ in range(3)] == pytest.approx([0, 0.1, 0.2])
