"""One input after the other, each with a good record behind it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace

from aiokafka.partitioner import DefaultPartitioner

from benchmarks.hostile.batches import send
from benchmarks.hostile.inputs import Hostile, good
from benchmarks.hostile.watch import Cost, Watched
from client.producer import Producer, producer
from client.reader import Reader, reader
from infra.local.stack import Stack
from schemas.event import bare_id
from schemas.records import Record
from schemas.topics import (
    DEAD_LETTERS,
    EMBEDDINGS,
    FRAMES,
    GALLERY,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
)

TOPICS = (FRAMES, EMBEDDINGS, REVIEW_DECISIONS, GALLERY_COMMANDS)
_ENDS = (DEAD_LETTERS, IDENTIFICATIONS, HUMAN_REVIEW, GALLERY)
_WITHIN_S = 120.0
_WARM = 4
KEY = b"cam"
"""Of all records, so that each good one lies behind its hostile one."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one input cost.

    Attributes:
        input: what was sent.
        mib: its length.
        reason: of its dead letter, if it has one.
        worker: what the worker spent until the good record behind it was done.
        streams: the same of the streams.
        at_rest_mib: the memory of the worker at rest.
    """

    input: Hostile
    mib: float
    reason: str | None
    worker: Cost
    streams: Cost
    at_rest_mib: float

    @property
    def cost(self) -> Cost:
        """Of both services: the time together, the memory of the one that took more."""
        both = (self.worker, self.streams)
        return Cost(sum(c.cpu_s for c in both), max(c.peak_mib for c in both))


class Trial:
    """Sends inputs to a running deployment that nobody else uses."""

    def __init__(self, stack: Stack, out: Producer, ends: Reader) -> None:
        self._settings = stack.settings
        self._out = out
        self._ends = ends
        self._count = 0
        self._worker = Watched(stack.workers[0].pid)
        self._streams = Watched(stack.streams.pid)

    async def run(self, hostile: Hostile) -> Row:
        """Send an input and wait until the good record behind it is done.

        Raises:
            TimeoutError: that takes for ever.
        """
        made = hostile.make()
        for watched in (self._worker, self._streams):
            watched.begin()
        topic = self._settings.topic(hostile.topic)
        if isinstance(made, bytes):
            size = len(made)
            partitions = list(range(hostile.topic.partitions))
            partition = DefaultPartitioner()(KEY, partitions, partitions)
            await send(self._settings, topic, partition, made)
        else:
            size = sum(map(len, (made.value or b"", *dict(made.headers).values())))
            await self._out.send(replace(made, topic=topic))
        reason = await self._follow(hostile)
        costs = self._worker.cost(), self._streams.cost()
        return Row(hostile, size / 2**20, reason, *costs, self._worker.at_rest_mib)

    async def _follow(self, hostile: Hostile) -> str | None:
        """Send a good record, wait for its outcome, and return the reason of the other's letter."""
        self._count += 1
        name, topic = f"good-{self._count}", self._settings.topic(hostile.topic)
        behind = replace(good(hostile.topic, self._count), topic=topic, key=KEY)
        await self._out.send(behind)
        reason: str | None = None
        done = False
        until = time.monotonic() + _WITHIN_S
        while not done or (hostile.reason is not None and reason is None):
            if time.monotonic() > until:
                raise TimeoutError(f"{hostile.name}: no end of it (good record: {done})")
            for record in await self._ends.batch(0.1):
                if record.header("dead_reason") is not None:
                    reason = record.header("dead_reason")
                done = done or bare_id(_name(record)) == name
        return reason


async def rows(stack: Stack, inputs: Iterable[Hostile]) -> AsyncGenerator[Row, None]:
    """Yield what each input cost."""
    settings = stack.settings
    async with (
        producer(settings, *TOPICS) as out,
        reader(settings, *_ENDS, from_beginning=True, poll_ms=10) as ends,
    ):
        for number in range(_WARM):  # what is done for the first time costs more
            for topic in TOPICS:
                await out.send(replace(good(topic, -number), topic=settings.topic(topic)))
        await _drained(ends, _WARM * len(TOPICS))
        trial = await asyncio.to_thread(Trial, stack, out, ends)
        for hostile in inputs:
            yield await trial.run(hostile)


async def _drained(ends: Reader, count: int) -> None:
    seen = 0
    async with asyncio.timeout(_WITHIN_S):
        while seen < count:
            seen += len(await ends.batch(0.5))
        while await ends.batch(1.0):
            pass


def _name(record: Record) -> str:
    return record.header("ce_id") or ""
