"""How much may be inside the process at once: a count and a number of bytes."""

import asyncio
from collections import deque


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
        count, most = self._max
        return not self.count or (self.count < count and self.size + size <= most)
