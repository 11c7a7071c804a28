"""Admission to the worker: how much may be inside at once, and in which order it goes on."""

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

MAX_BYTES = 128 * 2**20
"""Encoded and resized images inside a worker; what torch and the Kafka client hold comes on top,
and up to eight images of each store that is late."""

MAX_CLAIMS = 1000
"""Claim checks that may wait for their images, in all; then nothing more is read."""

MAX_CLAIM_BYTES = 64 * 2**20
"""What the records of those may hold."""


class Budget:
    """Admits work while both limits hold; one piece that is too big for them is admitted alone.

    Whoever came first is admitted first, so that a large piece is not overtaken for ever.
    """

    def __init__(self, count: int, size: int) -> None:
        self._max = (count, size)
        self.count = 0
        self.size = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._changed = asyncio.Event()

    async def acquire(self, size: int) -> None:
        """Wait until a piece of ``size`` bytes fits, and take its place."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, place))
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._admit()  # for those behind it
            else:
                self.release(size)
            raise

    def release(self, size: int) -> None:
        """Give the place back."""
        self.count -= 1
        self.size -= size
        self._changed.set()
        self._admit()

    async def empty(self) -> None:
        """Wait until nothing is inside."""
        while self.count:
            self._changed.clear()
            await self._changed.wait()

    def _admit(self) -> None:
        while self._waiting:
            size, place = self._waiting[0]
            if not place.cancelled():
                if not self._fits(size):
                    return
                self.count += 1
                self.size += size
                place.set_result(None)
            self._waiting.popleft()

    def _fits(self, size: int) -> bool:
        count, max_size = self._max
        return not self.count or (self.count < count and self.size + size <= max_size)


class Turn:
    """``async with`` waits until the turn before it is over."""

    def __init__(self, before: "Turn | None") -> None:
        self._before = before
        self._over = asyncio.Event()

    async def __aenter__(self) -> None:
        if self._before is not None:
            await self._before._over.wait()
            self._before = None

    async def __aexit__(self, *_: object) -> None:
        self._over.set()

    async def give_up(self) -> None:
        """Let the next one have it as soon as the turn before is over."""
        async with self:
            pass


class Turns:
    """Hands out turns, in the order of asking, separately for each line."""

    def __init__(self) -> None:
        self._last: dict[Hashable, Turn] = {}

    def draw(self, line: Hashable) -> Turn:
        """Return the next turn of the line. Whoever draws it must take it."""
        turn = self._last[line] = Turn(self._last.get(line))
        return turn


@dataclass(slots=True, eq=False)
class Admission:
    """What a frame holds while it is inside: its share of the budget, and its turns."""

    weight: int
    batching: Turn
    sending: Turn


class Gate:
    """Admits frames while there is room for them; the frames of a partition keep their order.

    The records of claim checks have room of their own, so that those which wait for their images
    leave the budget to the others.

    Args:
        max_frames: that are inside at once.
        tasks: where the turns of frames that step aside are waited for.
    """

    def __init__(self, max_frames: int, tasks: asyncio.TaskGroup) -> None:
        self.frames = Budget(max_frames, MAX_BYTES)
        self.claims = Budget(MAX_CLAIMS, MAX_CLAIM_BYTES)
        self._tasks = tasks
        self._batching = Turns()
        self._sending = Turns()

    async def admit(self, weight: int, partition: int) -> Admission:
        """Wait until ``weight`` bytes fit, and draw the next turns of the partition."""
        await self.frames.acquire(weight)
        return Admission(weight, self._batching.draw(partition), self._sending.draw(partition))

    def leave(self, admission: Admission) -> None:
        """Give the share of the budget back; the turns were taken."""
        self.frames.release(admission.weight)

    def step_aside(self, admission: Admission) -> None:
        """Give the share and the turns back, for a frame that must be admitted anew."""
        self.leave(admission)
        for turn in (admission.batching, admission.sending):
            self._tasks.create_task(turn.give_up())
