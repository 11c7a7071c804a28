"""What happens to a frame, from being read to being settled; many frames at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from schemas.background import Declaration
from schemas.codec import Frame
from schemas.errors import BadInput
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from workers.model.forward import PART, Embeds, Result, embed_each
from workers.service.batching import MicroBatcher
from workers.service.budget import Budget
from workers.service.claims import Claims
from workers.service.images import Images
from workers.service.job import Image, Job, now_ms, read_job
from workers.service.ordering import Turn, Turns
from workers.service.outbox import Outbox
from workers.service.retry import Patience

MAX_BYTES = 128 * 2**20
"""Encoded and resized images inside a worker; what torch and the Kafka client hold comes on top,
and up to eight images of each store that is late."""

MAX_CLAIMS = 1000
"""Claim checks that may wait for their images, in all; then nothing more is read."""

MAX_CLAIM_BYTES = 64 * 2**20
"""What the records of those may hold."""


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


@dataclass(slots=True, eq=False)
class Entry:
    """A frame's place inside: its share of the budget, and its turns."""

    weight: int
    batching: Turn
    sending: Turn


@dataclass(slots=True, eq=False)
class Passage:
    """A record on its way through. Without an ``entry`` it waits for its image, aside.

    ``claim``: how many bytes it holds of the room for claim checks; ``None`` if it is none.
    """

    job: Job
    claim: int | None = None
    entry: Entry | None = None


class Pipeline:
    """Turns records into acknowledged embeddings and dead letters.

    One task a frame tells its whole story. The stages overlap because many frames are inside, as
    many as the budget allows; frames of one partition enter their batches and are sent in order.
    A frame whose image does not come at once steps aside: it gives back its turns and its share of
    the budget, and takes new ones when the image has come.

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
        claims: Claims,
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
        self._claims = claims
        self._outbox = outbox
        self._patience = patience
        self._tasks = tasks
        self._declaration = declaration
        self._budget = Budget(settings.in_flight, MAX_BYTES)
        self._room = Budget(MAX_CLAIMS, MAX_CLAIM_BYTES)
        deadline_s = settings.batch_deadline_ms / 1000
        self._batcher: MicroBatcher[Request] = MicroBatcher(settings.batch_size, deadline_s)
        self._batching = Turns()
        self._sending = Turns()
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="forward")
        self._lanes = {tasks.create_task(self._lane()) for _ in range(lanes)}
        self._running: dict[asyncio.Task[None], Passage] = {}
        metrics.queue_depth.labels("in_flight").set_function(lambda: self._budget.count)
        metrics.queue_depth.labels("aside").set_function(lambda: len(self._aside()))
        metrics.queue_depth.labels("batch").set_function(lambda: len(self._batcher))

    async def submit(self, record: Record, settle: Callable[[], None]) -> None:
        """Take a record in as soon as there is room; ``settle`` is called when it is done."""
        job = read_job(record, self._declaration)
        passage = Passage(job)
        if job.claim is not None:
            size = len(record.value or b"")
            await self._room.acquire(size)
            passage.claim = size
        if job.claim is None or not self._claims.quiet(job.claim):
            passage.entry = await self._enter(job, None if job.frame is None else job.frame.image)
        self._metrics.frames.inc()
        self._observe("fetch", job.timings_ms["fetch"])

        def done(task: "asyncio.Task[None]") -> None:
            del self._running[task]
            self._give_back(passage)
            if not task.cancelled() and task.exception() is None:
                settle()

        task = self._tasks.create_task(self._story(passage))
        self._running[task] = passage
        task.add_done_callback(done)

    async def drained(self) -> None:
        """Wait until nothing is inside but what waits for its image."""
        await self._budget.empty()

    def drop_waiting(self) -> None:
        """Let go of what waits for its image: whoever owns its partition next reads it again."""
        for task in self._aside():
            task.cancel()

    def close(self) -> None:
        """Stop. What is not done by now is dropped here, and read again by the next worker."""
        for task in (*self._running, *self._lanes):
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _aside(self) -> "list[asyncio.Task[None]]":
        return [task for task, passage in self._running.items() if passage.entry is None]

    async def _enter(self, job: Job, image: bytes | None) -> Entry:
        frame = job.frame
        weight = len(job.record.value or b"") if frame is None else self._images.weigh(frame, image)
        await self._budget.acquire(weight)
        line = job.record.partition
        return Entry(weight, self._batching.draw(line), self._sending.draw(line))

    def _step_aside(self, passage: Passage, entry: Entry) -> None:
        passage.entry = None
        self._budget.release(entry.weight)
        for turn in (entry.batching, entry.sending):
            self._tasks.create_task(turn.give_up())

    def _give_back(self, passage: Passage) -> None:
        if passage.entry is not None:
            self._budget.release(passage.entry.weight)
        if passage.claim is not None:
            self._room.release(passage.claim)

    async def _story(self, passage: Passage) -> None:
        job = passage.job
        images, problem = await self._made(passage)
        if passage.entry is None:
            passage.entry = await self._enter(job, b"")
        async with passage.entry.batching:
            requests = [self._request(image) for image in images]
        answers = await asyncio.gather(*(request.answer for request in requests))
        began = now_ms()
        async with passage.entry.sending:
            # The tasks of a gather take their first step, which is to send, in this order.
            outputs = [self._answer(*pair) for pair in zip(images, answers, strict=True)]
            if problem is not None:
                outputs = [self._outbox.dead(job, problem)]
            acknowledged = asyncio.gather(*outputs)
        await acknowledged
        self._observe("produce", now_ms() - began)

    async def _made(self, passage: Passage) -> tuple[list[Image], BadInput | None]:
        job = passage.job
        if job.frame is None or job.problem is not None:
            return [], job.problem
        try:
            image = await self._image(passage, job.frame)
            images = await self._images.make(job, job.frame, image)
        except BadInput as error:
            return [], error
        except Exception as error:  # noqa: BLE001  # one image must not end the worker
            return [], BadInput(f"{job.stage}_failed", f"{type(error).__name__}: {error}")
        self._observe("decode", job.timings_ms["decode"])
        return images, None

    async def _image(self, passage: Passage, frame: Frame) -> bytes:
        if frame.image is not None:
            return frame.image
        if frame.image_uri is None:
            raise BadInput("no_image", "neither image bytes nor image_uri")
        if passage.entry is not None:
            image = await self._claims.in_turn(passage.job, frame.image_uri)
            if image is not None:
                return image
            self._step_aside(passage, passage.entry)
        async with self._claims.aside(passage.job, frame.image_uri) as image:
            passage.entry = await self._enter(passage.job, image)
            return image

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
        try:
            embedding = image.embedding(answer.result, self._model.version, *timing)
            record = embedding.record(self._outbox.embedding_topic)
        except Exception as error:  # noqa: BLE001  # one frame must not end the worker
            image.job.stage = "produce"
            why = BadInput("produce_failed", f"{type(error).__name__}: {error}")
            await self._outbox.dead(image.job, why)
            return
        await self._outbox.embedding(image.job, record)

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
