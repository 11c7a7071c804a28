"""Keeping order among tasks that run side by side."""

import asyncio
from collections.abc import Hashable


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
