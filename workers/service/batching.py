"""Micro-batches, closed by size or by a deadline, and the forward passes that take them."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from access.ending import end
from access.patience import Patience
from schemas.runtime import Runtime
from workers.model.forward import Embeds, Result, embed_each
from workers.service.best_batch import BestBatch
from workers.service.job import Image, now_ms

T = TypeVar("T")


class MicroBatcher(Generic[T]):
    """Collects items in order; whoever is free to work takes the next batch.

    An item that comes alone is taken at once. While others are on their way, whoever is free waits
    for them until the batch is full, but no longer than ``deadline_s`` after its first item came.
    While every worker is busy a batch goes on growing up to its size: so under load batches are
    full and nobody waits. Whoever puts bounds the number.

    Args:
        size: tells how many a batch takes now.
        deadline_s: longest wait of its first item for others, in seconds.
        coming: tells whether others are on their way.
    """

    def __init__(
        self,
        size: Callable[[], int],
        deadline_s: float,
        coming: Callable[[], bool],
    ) -> None:
        self._size = size
        self._deadline_s = deadline_s
        self._coming = coming
        self._items: deque[tuple[float, T]] = deque()
        self._grown = asyncio.Event()
        self._free = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item."""
        self._items.append((asyncio.get_running_loop().time(), item))
        self._grown.set()

    async def take(self) -> list[T]:
        """Wait until a batch is due and return it, in the order the items came.

        Where others are free too, each takes its share.
        """
        self._free += 1
        try:
            while (wait_s := self._due_in()) > 0:
                self._grown.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                        await self._grown.wait()
            share = math.ceil(len(self._items) / self._free)
            return [self._items.popleft()[1] for _ in range(min(self._size(), share))]
        finally:
            self._free -= 1

    def _due_in(self) -> float:
        if not self._items:
            return math.inf
        if len(self._items) >= self._size() or not self._coming():
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
        coming: tells whether images are on their way here.
        tasks: where they run; an error that is nobody's input ends the group.
    """

    def __init__(
        self,
        runtime: Runtime,
        model: Embeds,
        count: int,
        coming: Callable[[], bool],
        patience: Patience,
        tasks: asyncio.TaskGroup,
    ) -> None:
        settings, self._metrics = runtime.settings, runtime.metrics
        self.version = model.version
        self._model = model
        # Each of the lanes, and who fills them, must find something to take.
        room = max(1, settings.most_in_flight // (2 * count))
        self._sizes = BestBatch(min(settings.most_in_batch, room))
        self._batcher: MicroBatcher[Waiting] = MicroBatcher(
            lambda: self._sizes.size, settings.batch_deadline_ms / 1000, coming
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

    async def close(self) -> None:
        """Stop; what waits is dropped."""
        await end(self._lanes)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _lane(self) -> None:
        while True:
            batch = await self._batcher.take()
            started = now_ms()
            results = await self._patience("forward", partial(self._embed, batch))
            done = now_ms()
            self._sizes.passed(len(batch), (done - started) / 1000)
            self._metrics.batch_size.labels("worker").observe(len(batch))
            self._metrics.stage_seconds.labels("forward").observe((done - started) / 1000)
            for waiting, result in zip(batch, results, strict=True):
                waited_ms = started - waiting.image.ready_ms
                self._metrics.stage_seconds.labels("batch").observe(waited_ms / 1000)
                waiting.embedded.set_result(PassResult(result, started, done))

    async def _embed(self, batch: list[Waiting]) -> list[Result]:
        pixels = [waiting.image.pixels for waiting in batch]
        loop = asyncio.get_running_loop()
        too_large = self._sizes.too_large
        return await loop.run_in_executor(self._pool, embed_each, self._model, pixels, too_large)
