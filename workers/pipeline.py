"""What happens to a frame, from being read to being settled; many frames at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from schemas.background import Declaration
from schemas.errors import BadInput
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from workers.batching import MicroBatcher
from workers.budget import Budget
from workers.forward import PART, Embeds, Result, embed_each
from workers.images import Images
from workers.job import Image, Job, now_ms, read_job
from workers.outbox import Outbox
from workers.patience import Patience
from workers.turns import Turn, Turns

MOST_BYTES = 128 * 2**20
"""Encoded and resized images inside a worker; what torch and the Kafka client hold comes on top."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """An image that waits for the model."""

    image: Image
    answer: "asyncio.Future[Answer]"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model made of an image, and when the pass began and ended (epoch, ms)."""

    result: Result
    started_ms: float
    done_ms: float


class Pipeline:
    """Turns records into acknowledged embeddings and dead letters.

    One task a frame tells its whole story. The stages overlap because many frames are inside, as
    many as the budget allows; frames of one partition enter their batches and are sent in order.

    Args:
        lanes: forward passes at the same time, each in a thread of its own.
        tasks: where the work runs; an error that is nobody's input ends the group.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        model: Embeds,
        images: Images,
        outbox: Outbox,
        patience: Patience,
        tasks: asyncio.TaskGroup,
        *,
        lanes: int,
        declaration: Declaration | None,
    ) -> None:
        self._metrics = metrics
        self._model = model
        self._images = images
        self._outbox = outbox
        self._patience = patience
        self._tasks = tasks
        self._declaration = declaration
        self._budget = Budget(settings.in_flight, MOST_BYTES)
        deadline_s = settings.batch_deadline_ms / 1000
        self._batcher: MicroBatcher[Request] = MicroBatcher(settings.batch_size, deadline_s)
        self._batching = Turns()
        self._sending = Turns()
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="forward")
        self._running = {tasks.create_task(self._lane()) for _ in range(lanes)}
        metrics.queue_depth.labels("in_flight").set_function(lambda: self._budget.count)
        metrics.queue_depth.labels("batch").set_function(lambda: len(self._batcher))

    async def submit(self, record: Record, settle: Callable[[], None]) -> None:
        """Take a record in as soon as there is room; ``settle`` is called when it is done."""
        job = read_job(record, self._declaration)
        weight = len(record.value or b"") if job.frame is None else self._images.weigh(job.frame)
        await self._budget.acquire(weight)
        self._metrics.frames.inc()
        self._observe("fetch", job.timings_ms["fetch"])
        line = record.partition
        story = self._story(job, self._batching.draw(line), self._sending.draw(line))

        def done(task: "asyncio.Task[None]") -> None:
            self._running.discard(task)
            self._budget.release(weight)
            if not task.cancelled() and task.exception() is None:
                settle()

        task = self._tasks.create_task(story)
        self._running.add(task)
        task.add_done_callback(done)

    async def drained(self) -> None:
        """Wait until nothing is inside."""
        await self._budget.empty()

    def close(self) -> None:
        """Stop. What is not done by now is dropped here, and read again by the next worker."""
        for task in self._running:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _story(self, job: Job, batching: Turn, sending: Turn) -> None:
        images, problem = await self._decoded(job)
        async with batching:
            requests = [self._request(image) for image in images]
        answers = await asyncio.gather(*(request.answer for request in requests))
        began = now_ms()
        async with sending:
            # The tasks of a gather take their first step, which is to send, in this order.
            outputs = [self._answer(*pair) for pair in zip(images, answers, strict=True)]
            if problem is not None:
                outputs = [self._outbox.dead(job, problem)]
            acknowledged = asyncio.gather(*outputs)
        await acknowledged
        self._observe("produce", now_ms() - began)

    async def _decoded(self, job: Job) -> tuple[list[Image], BadInput | None]:
        if job.frame is None or job.problem is not None:
            return [], job.problem
        try:
            images = await self._images.make(job, job.frame)
        except BadInput as error:
            return [], error
        except Exception as error:  # noqa: BLE001  # one image must not end the worker
            return [], BadInput(f"{job.stage}_failed", f"{type(error).__name__}: {error}")
        self._observe("decode", job.timings_ms["decode"])
        return images, None

    def _request(self, image: Image) -> Request:
        request = Request(image, asyncio.get_running_loop().create_future())
        self._batcher.put(request)
        return request

    async def _answer(self, image: Image, answer: Answer) -> None:
        if isinstance(answer.result, BadInput):
            image.job.stage = "forward"
            await self._outbox.dead(image.job, answer.result)
            return
        timing = (answer.started_ms, answer.done_ms)
        embedding = image.embedding(answer.result, self._model.version, *timing)
        await self._outbox.embedding(image.job, embedding)

    async def _lane(self) -> None:
        while True:
            batch = await self._batcher.take()
            started = now_ms()
            results = await self._patience(PART, "forward", lambda: self._forward(batch))  # noqa: B023
            done = now_ms()
            self._metrics.batch_size.labels("worker").observe(len(batch))
            self._observe("forward", done - started)
            for request, result in zip(batch, results, strict=True):
                self._observe("batch", started - request.image.ready_ms)
                request.answer.set_result(Answer(result, started, done))

    async def _forward(self, batch: list[Request]) -> list[Result]:
        pixels = [request.image.pixels for request in batch]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, embed_each, self._model, pixels)

    def _observe(self, stage: str, milliseconds: float) -> None:
        self._metrics.stage_seconds.labels(stage).observe(milliseconds / 1000)
