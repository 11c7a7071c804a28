"""How much may be inside the process at once: a count and a number of bytes."""

import asyncio


class Budget:
    """Admits work while both limits hold; one piece that is too big for them is admitted alone."""

    def __init__(self, count: int, size: int) -> None:
        self._most = (count, size)
        self.count = 0
        self.size = 0
        self._changed = asyncio.Event()

    async def acquire(self, size: int) -> None:
        """Wait until a piece of ``size`` bytes fits, and take its place."""
        while self.count and not self._fits(size):
            await self._change()
        self.count += 1
        self.size += size

    def release(self, size: int) -> None:
        """Give the place back."""
        self.count -= 1
        self.size -= size
        self._changed.set()

    async def empty(self) -> None:
        """Wait until nothing is inside."""
        while self.count:
            await self._change()

    def _fits(self, size: int) -> bool:
        count, most = self._most
        return self.count < count and self.size + size <= most

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
