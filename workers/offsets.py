"""Which offsets may be committed: those up to which every record is settled, whatever the order."""

import asyncio
from collections import deque
from collections.abc import Callable

from schemas.records import Record

Partition = tuple[str, int]

MAX_AHEAD = 5000
"""Records of a partition that may be settled while an older one is not: so many are read again
after a crash or a rebalance. A frame whose image does not come holds the commits of its partition
back, and at this many it holds back reading."""


class _Log:
    """The records of one partition that are in the process, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._settled: set[int] = set()
        self.next: int | None = None

    @property
    def ahead(self) -> int:
        return len(self._settled)

    def begin(self, offset: int) -> None:
        self._waiting.append(offset)

    def settle(self, offset: int) -> None:
        self._settled.add(offset)
        while self._waiting and self._waiting[0] in self._settled:
            first = self._waiting.popleft()
            self._settled.discard(first)
            self.next = first + 1


class Offsets:
    """Tracks the records between being read and being settled (their outputs acknowledged)."""

    def __init__(self) -> None:
        self._logs: dict[Partition, _Log] = {}
        self._committed: dict[Partition, int] = {}
        self._moved = asyncio.Event()

    async def room(self, record: Record) -> None:
        """Wait while its partition is ``MAX_AHEAD`` records ahead of one that is not settled."""
        while (log := self._log(record)).ahead >= MAX_AHEAD:
            self._moved.clear()
            await self._moved.wait()
            if self._log(record) is not log:
                return  # the partitions were taken away meanwhile

    def begin(self, record: Record) -> Callable[[], None]:
        """Note that ``record`` was read; call what is returned once it is settled."""
        log = self._log(record)
        log.begin(record.offset)

        def settle() -> None:
            log.settle(record.offset)
            self._moved.set()

        return settle

    def due(self) -> dict[Partition, int]:
        """Return the offset to commit of each partition where it has moved."""
        return {
            partition: log.next
            for partition, log in self._logs.items()
            if log.next is not None and log.next != self._committed.get(partition)
        }

    def committed(self, offsets: dict[Partition, int]) -> None:
        """Note what the broker has confirmed."""
        self._committed.update(offsets)

    def forget(self) -> None:
        """Start anew: the partitions were taken away, what is under way counts no more."""
        self._logs = {}
        self._committed = {}
        self._moved.set()

    def _log(self, record: Record) -> _Log:
        return self._logs.setdefault((record.topic, record.partition), _Log())
