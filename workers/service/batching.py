"""Micro-batches: closed by size or by a deadline, whichever comes first."""

import asyncio
import math
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class MicroBatcher(Generic[T]):
    """Collects items in order; whoever is free to work takes the next batch.

    A batch is due when it is full, or ``deadline_s`` after its first item came. While every worker
    is busy a due batch goes on growing up to ``size``: under load batches are full and nobody
    waits, when idle an item waits no longer than the deadline. Whoever puts bounds the number.
    """

    def __init__(self, size: int, deadline_s: float) -> None:
        self._size = size
        self._deadline_s = deadline_s
        self._items: deque[tuple[float, T]] = deque()
        self._grown = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item."""
        self._items.append((asyncio.get_running_loop().time(), item))
        self._grown.set()

    async def take(self) -> list[T]:
        """Wait until a batch is due and return it: 1 to ``size`` items, in the order they came."""
        while (wait_s := self._due_in()) > 0:
            self._grown.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                    await self._grown.wait()
        return [self._items.popleft()[1] for _ in range(min(self._size, len(self._items)))]

    def _due_in(self) -> float:
        if not self._items:
            return math.inf
        if len(self._items) >= self._size:
            return 0.0
        came, _ = self._items[0]
        return came + self._deadline_s - asyncio.get_running_loop().time()
