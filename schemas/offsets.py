"""Which offsets may be committed: those up to which every record is settled, whatever the order."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Partition = tuple[str, int]
"""A topic's full name and the number of a partition."""

MAX_AHEAD = 5000
"""Records of a partition that may be settled while an older one is not: so many are read again
after a crash or a rebalance. A frame whose image does not come holds the commits of its partition
back, and at this many it holds back reading."""


class FromPartition(Protocol):
    """Whatever was read from a partition: a record of ours or of a client library."""

    @property
    def topic(self) -> str:
        """Its topic."""

    @property
    def partition(self) -> int:
        """The number of its partition."""

    @property
    def offset(self) -> int:
        """Where it lies there."""


class _Log:
    """The records of one partition that are in the process, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._settled: set[int] = set()
        self.newest = -1
        self.next: int | None = None

    @property
    def ahead(self) -> int:
        return len(self._settled)

    @property
    def open(self) -> bool:
        return bool(self._waiting)

    def begin(self, offset: int) -> None:
        self._waiting.append(offset)
        self.newest = offset

    def passed(self, offset: int) -> None:
        if offset > self.newest:
            self.begin(offset)
            self.settle(offset)

    def settle(self, offset: int) -> None:
        self._settled.add(offset)
        while self._waiting and self._waiting[0] in self._settled:
            first = self._waiting.popleft()
            self._settled.discard(first)
            self.next = first + 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a partition has come.

    Attributes:
        committed: the offset that the broker has confirmed last; ``None`` if none was since the
            partition was assigned.
        open: whether records were read that are not settled and committed yet.
    """

    committed: int | None
    open: bool


class Offsets:
    """Tracks the records between being read and being settled (their outputs acknowledged)."""

    def __init__(self) -> None:
        self._logs: dict[Partition, _Log] = {}
        self._committed: dict[Partition, int] = {}
        self._moved = asyncio.Event()

    async def room(self, record: FromPartition) -> None:
        """Wait while its partition is ``MAX_AHEAD`` records ahead of one that is not settled."""
        partition = (record.topic, record.partition)
        log = self._logs.get(partition)
        while log is not None and log.ahead >= MAX_AHEAD:
            self._moved.clear()
            await self._moved.wait()
            if self._logs.get(partition) is not log:
                return  # the partition was taken away, or is read anew

    def begin(self, record: FromPartition) -> Callable[[], None]:
        """Note that ``record`` was read; call what is returned once it is settled.

        A record that is read again begins its partition anew: what was under way there before
        counts no more, for nobody can tell which of it will still be settled.
        """
        partition = (record.topic, record.partition)
        log = self._logs.get(partition)
        if log is None or record.offset <= log.newest:
            log = self._logs[partition] = _Log()
            self._moved.set()
        log.begin(record.offset)
        held, offset = log, record.offset

        def settle() -> None:
            held.settle(offset)
            self._moved.set()

        return settle

    def passed(self, partition: Partition, position: int) -> None:
        """Note that all that can be read below ``position`` was read.

        What lies there without being a record (marks of transactions, records of one that was
        aborted) would else be waited for: it is settled with what comes before it.
        """
        self._logs.setdefault(partition, _Log()).passed(position - 1)

    def due(self) -> dict[Partition, int]:
        """Return the offset to commit of each partition where it has moved."""
        return {
            partition: log.next
            for partition, log in self._logs.items()
            if log.next is not None and log.next != self._committed.get(partition)
        }

    def standing(self, partition: Partition) -> Standing:
        """Return how far ``partition`` has come."""
        log, committed = self._logs.get(partition), self._committed.get(partition)
        if log is None:
            return Standing(committed, open=False)
        return Standing(committed, log.open or log.next != committed)

    def committed(self, offsets: dict[Partition, int]) -> None:
        """Note what the broker has confirmed."""
        self._committed.update(offsets)

    def forget(self) -> None:
        """Start anew: the partitions were taken away, what is under way counts no more."""
        self._logs = {}
        self._committed = {}
        self._moved.set()
