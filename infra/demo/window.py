"""How many frames may be on their way: what paces the demo besides its clock."""

import asyncio
import time
from collections.abc import Callable


class Window:
    """The unfinished frames: undecided ones, and those whose answer is not in the gallery yet.

    A year in half a minute would bring the next frames of a place before a person's answer to the
    first one could teach anything. Counting a frame until it has taught keeps the order of events
    that the real year has.
    """

    def __init__(
        self, size: int, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``patience_s``: after so long a frame no longer holds others back."""
        self._size = size
        self._patience = patience_s
        self._clock = clock
        self._entered: dict[str, float] = {}
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entered)

    async def enter(self, frame: str) -> None:
        """Wait for room, then count this frame, by its event name, as unfinished."""
        while len(self._entered) >= self._size:
            self._left.clear()
            oldest = min(self._entered, key=self._entered.__getitem__)
            remaining = self._entered[oldest] + self._patience - self._clock()
            try:
                await asyncio.wait_for(self._left.wait(), max(remaining, 0))
            except TimeoutError:
                self.leave(oldest)
        self._entered[frame] = self._clock()

    def leave(self, frame: str) -> None:
        """Count the frame as finished; nothing happens when it is not in the window."""
        if self._entered.pop(frame, None) is not None:
            self._left.set()


class Pace:
    """Spreads events evenly at a rate; time lost waiting for something else is not made up for."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``rate``: events per second."""
        self._interval = 1 / rate
        self._clock = clock
        self._next = clock()

    def delay(self) -> float:
        """Return how many seconds to wait before the event that comes now."""
        now = self._clock()
        start = max(self._next, now)
        self._next = start + self._interval
        return start - now
