"""Memory that a large record took: handed back once it is done with."""

import asyncio

from workers.model.malloc import give_back

LARGE = 4 * 2**20
_AFTER_S = 1.0  # by then the client has let go of it, too


class LargeRecords:
    """Hands memory back after large records: freed memory is kept for the forward passes."""

    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None

    def done(self, size: int) -> None:
        """Note that a record of this size is done with."""
        if size >= LARGE and self._due is None:
            self._due = asyncio.get_running_loop().call_later(_AFTER_S, self._give_back)

    def close(self) -> None:
        """Forget what is due."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _give_back(self) -> None:
        self._due = None
        asyncio.get_running_loop().run_in_executor(None, give_back)
