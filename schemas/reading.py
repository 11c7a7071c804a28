"""Reading partitions so that what cannot be unpacked costs no record of its neighbours.

aiokafka unpacks a batch while it hands it out: one that it cannot unpack (a broken batch, a header
name that is not UTF-8) makes the whole call raise, after other partitions have already moved on.
Here each partition is read by a call of its own, so a failing one moves nobody; and what keeps
failing is read by a second reader, which sets aside what nobody can read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.errors import DependencyDown
from schemas.metrics import Metrics
from schemas.records import Record

ATTEMPTS = 3
"""How often a partition is read in vain before the second reader is asked."""

_PAUSE_S = 0.05
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What lies in a partition from some offset up to ``next_offset``.

    A record that is not to be processed has its ``problem``.
    """

    records: tuple[Record, ...]
    next_offset: int


SecondReader = Callable[[str, int, int], Awaitable[Chunk]]
"""Reads a partition (topic, number) from an offset on, whatever its records are made of."""


class Client(Protocol):
    """The part of aiokafka's consumer that is needed here; partitions are its own type."""

    async def getmany(
        self, *partitions: Any, timeout_ms: int, max_records: int
    ) -> Mapping[Any, Any]:
        """Return what was fetched from the partitions (without any: from all)."""

    async def position(self, partition: Any) -> int:
        """Return the offset that is read next."""

    def seek(self, partition: Any, offset: int) -> None:
        """Read on from ``offset``."""


class Reading:
    """Reads the partitions of one consumer.

    Args:
        second: reads what the consumer cannot; without one, such a partition waits.
        metrics: attempts in vain are counted there, as stage ``read``.
    """

    def __init__(self, second: SecondReader | None, metrics: Metrics) -> None:
        self._second = second
        self._metrics = metrics
        self._failures: dict[Any, int] = {}

    async def __call__(
        self, client: Client, partitions: Collection[Any], *, timeout_s: float, most: int
    ) -> Mapping[Any, Sequence[Any]]:
        """Return what comes first, by partition: the client's messages, or records; maybe nothing.

        Raises:
            DependencyDown: a partition cannot be read by the second reader either, or the client
                said so (we may not read it, say).
            Exception: what the client raises while it has no partitions.
        """
        self._failures = {p: n for p, n in self._failures.items() if p in partitions}
        given_up = [p for p, failures in self._failures.items() if failures >= ATTEMPTS]
        if given_up:
            return await self._read_again(client, given_up[0])
        if not partitions:
            # One record at most, so that none is lost if the next one makes the call raise.
            return await client.getmany(timeout_ms=int(timeout_s * 1000), max_records=1)
        return await self._first(client, partitions, timeout_s, max(1, most // len(partitions)))

    async def _first(
        self, client: Client, partitions: Collection[Any], timeout_s: float, most: int
    ) -> dict[Any, Sequence[Any]]:
        """Wait until some partition has records, or fails, or the time is up."""
        tasks = {
            partition: asyncio.ensure_future(_read(client, partition, timeout_s, most))
            for partition in partitions
        }
        try:
            await asyncio.wait(
                tasks.values(), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            # A read that still waits has taken nothing, so nothing is lost by ending it.
            for task in tasks.values():
                task.cancel()
            results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        fetched: dict[Any, Sequence[Any]] = {}
        down: DependencyDown | None = None
        for partition, result in zip(tasks, results, strict=True):
            if isinstance(result, DependencyDown):
                down = result  # nothing is wrong with what lies there
            elif isinstance(result, Exception):
                self._failed(partition, result)
            elif not isinstance(result, BaseException) and result:
                self._failures.pop(partition, None)
                fetched[partition] = result
        if down is not None and not fetched:
            raise down
        if self._failures and not fetched:
            await asyncio.sleep(_PAUSE_S)
        return fetched

    def _failed(self, partition: Any, error: Exception) -> None:
        self._failures[partition] = self._failures.get(partition, 0) + 1
        self._metrics.retries.labels("read").inc()
        _log.warning("%s cannot be read: %r", partition, error)

    async def _read_again(self, client: Client, partition: Any) -> Mapping[Any, Sequence[Record]]:
        # Whatever comes of it, the other partitions have their turn again before the next attempt.
        del self._failures[partition]
        offset = await client.position(partition)
        place = f"{partition.topic}-{partition.partition} from {offset} on"
        if self._second is None:
            raise DependencyDown("kafka", f"{place} cannot be read")
        try:
            chunk = await self._second(partition.topic, partition.partition, offset)
        except Exception as error:
            raise DependencyDown("kafka", f"{place} cannot be read: {error!r}") from error
        if await client.position(partition) != offset:
            return {}  # somebody else has moved it meanwhile, so these are not its next records
        client.seek(partition, chunk.next_offset)
        return {partition: chunk.records}


async def _read(client: Client, partition: Any, timeout_s: float, most: int) -> Sequence[Any]:
    before = await client.position(partition)
    try:
        fetched = await client.getmany(
            partition, timeout_ms=int(timeout_s * 1000), max_records=most
        )
    except Exception:
        # A batch that is larger than a fetch is passed over by aiokafka: never by us.
        if await client.position(partition) > before:
            client.seek(partition, before)
        raise
    records: Sequence[Any] = fetched.get(partition, ())
    return records
