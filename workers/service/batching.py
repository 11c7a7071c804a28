"""Micro-batches, closed by size or by a deadline, and the forward passes that take them."""

import asyncio
import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from access.patience import Patience
from schemas.runtime import Runtime
from workers.model.forward import Embeds, Result, embed_each
from workers.service.job import Image, now_ms

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


@dataclass(frozen=True, slots=True)
class PassResult:
    """What the model gave for an image, and when the pass began and ended (epoch, ms)."""

    result: Result
    started_ms: float
    done_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """An image that waits for the model."""

    image: Image
    embedded: asyncio.Future[PassResult]


class Lanes:
    """Forward passes side by side, each in a thread of its own, over batches of what waits.

    Args:
        count: passes at the same time.
        tasks: where they run; an error that is nobody's input ends the group.
    """

    def __init__(
        self,
        runtime: Runtime,
        model: Embeds,
        count: int,
        patience: Patience,
        tasks: asyncio.TaskGroup,
    ) -> None:
        settings, self._metrics = runtime.settings, runtime.metrics
        self.version = model.version
        self._model = model
        self._batcher: MicroBatcher[Waiting] = MicroBatcher(
            settings.batch_size, settings.batch_deadline_ms / 1000
        )
        self._patience = patience
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="forward")
        self._lanes = {tasks.create_task(self._lane()) for _ in range(count)}
        self._metrics.queue_depth.labels("batch").set_function(lambda: len(self._batcher))

    def put(self, image: Image) -> asyncio.Future[PassResult]:
        """Add an image to the next batch, behind all that were added before."""
        waiting = Waiting(image, asyncio.get_running_loop().create_future())
        self._batcher.put(waiting)
        return waiting.embedded

    def close(self) -> None:
        """Stop; what waits is dropped."""
        for lane in self._lanes:
            lane.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _lane(self) -> None:
        while True:
            batch = await self._batcher.take()
            started = now_ms()
            results = await self._patience("forward", partial(self._embed, batch))
            done = now_ms()
            self._metrics.batch_size.labels("worker").observe(len(batch))
            self._metrics.stage_seconds.labels("forward").observe((done - started) / 1000)
            for waiting, result in zip(batch, results, strict=True):
                waited_ms = started - waiting.image.ready_ms
                self._metrics.stage_seconds.labels("batch").observe(waited_ms / 1000)
                waiting.embedded.set_result(PassResult(result, started, done))

    async def _embed(self, batch: list[Waiting]) -> list[Result]:
        pixels = [waiting.image.pixels for waiting in batch]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, embed_each, self._model, pixels)
