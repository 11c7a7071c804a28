"""The story of a frame in the worker: read, decode, batch, embed, send, commit."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from access.ending import end
from schemas.background import Declaration
from schemas.codec import Frame
from schemas.errors import BadInput
from schemas.records import Record
from schemas.runtime import Runtime
from workers.service.admission import Admission, Gate
from workers.service.batching import Lanes, PassResult
from workers.service.claims import Claims
from workers.service.decoder import Decoder
from workers.service.job import Image, Job, now_ms, read_job
from workers.service.large_records import LargeRecords
from workers.service.outbox import Outbox
from workers.service.quality_histograms import QualityHistograms


@dataclass(slots=True, eq=False)
class Passage:
    """A record on its way through. Without an ``admission`` it waits for its image, aside.

    ``claim``: how many bytes it holds of the room for claim checks; ``None`` if it is none.
    """

    job: Job
    claim: int | None = None
    admission: Admission | None = None


class Pipeline:
    """Turns records into acknowledged embeddings and dead letters.

    Each frame has a task of its own, in which :meth:`_follow` tells its story. The stages overlap
    because many frames are inside, as many as the gate admits; frames of one partition enter their
    batches and are sent in order. A frame whose image does not come at once steps aside: it gives
    up its admission, and is admitted anew when the image has come.

    Args:
        tasks: where the work runs; an error that is nobody's input ends the group.
    """

    def __init__(
        self,
        runtime: Runtime,
        claims: Claims,
        decoder: Decoder,
        lanes: Lanes,
        outbox: Outbox,
        tasks: asyncio.TaskGroup,
        declaration: Declaration | None,
    ) -> None:
        metrics = runtime.metrics
        self._declaration = declaration
        self._limits = runtime.settings.frame_limits
        self._gate = gate = Gate(runtime.settings.most_in_flight, tasks)
        self._claims = claims
        self._decoder = decoder
        self._lanes = lanes
        self._outbox = outbox
        self._metrics = metrics
        self._quality = QualityHistograms(metrics)
        self._tasks = tasks
        self._running: dict[asyncio.Task[None], Passage] = {}
        self._large = LargeRecords()
        metrics.queue_depth.labels("in_flight").set_function(lambda: gate.frames.count)
        metrics.queue_depth.labels("aside").set_function(lambda: len(self._aside()))

    async def submit(self, record: Record, settle: Callable[[], None]) -> None:
        """Read a record and follow it as soon as there is room.

        When all that it led to is acknowledged, ``settle`` says that its offset may be committed.
        """
        job = read_job(record, self._declaration, self._limits)
        passage = Passage(job)
        if job.claim is not None:
            size = len(record.value or b"")
            await self._gate.claims.acquire(size)
            passage.claim = size
        if job.claim is None or not self._claims.quiet(job.claim):
            image = None if job.frame is None else job.frame.image
            passage.admission = await self._admit(job, image)
        self._metrics.frames.inc()
        self._observe("fetch", job.timings_ms["fetch"])

        def done(task: "asyncio.Task[None]") -> None:
            self._give_back(self._running.pop(task))
            self._large.done(len(record.value or b""))
            if not task.cancelled() and task.exception() is None:
                settle()

        task = self._tasks.create_task(self._follow(passage))
        self._running[task] = passage
        task.add_done_callback(done)

    async def drained(self) -> None:
        """Wait until nothing is inside but what waits for its image."""
        await self._gate.frames.empty()

    def drop_waiting(self) -> None:
        """Let go of what waits for its image: whoever owns its partition next reads it again."""
        for task in self._aside():
            task.cancel()

    async def close(self) -> None:
        """Stop. What is not done by now is dropped here, and read again by the next worker."""
        await end(self._running)
        self._large.close()
        await self._lanes.close()

    async def _follow(self, passage: Passage) -> None:
        """Decode, batch, embed and send what a record holds, each in the partition's order."""
        job = passage.job
        images, problem = await self._decoded(passage)
        if passage.admission is None:
            passage.admission = await self._admit(job, b"")
        async with passage.admission.batching:
            waiting = [self._lanes.put(image) for image in images]
        embedded = await asyncio.gather(*waiting)
        began = now_ms()
        async with passage.admission.sending:
            # The tasks of a gather take their first step, which is to send, in this order.
            outputs = [self._send(*pair) for pair in zip(images, embedded, strict=True)]
            if problem is not None:
                outputs = [self._outbox.dead(job, problem)]
            acknowledged = asyncio.gather(*outputs)
        await acknowledged
        self._observe("produce", now_ms() - began)

    async def _decoded(self, passage: Passage) -> tuple[list[Image], BadInput | None]:
        """Return the images of a record, or why it has none."""
        job = passage.job
        if job.frame is None or job.problem is not None:
            return [], job.problem
        try:
            encoded = await self._image(passage, job.frame)
            images = await self._decoder.decode(job, job.frame, encoded)
        except BadInput as error:
            return [], error
        except Exception as error:  # noqa: BLE001  # one image must not end the worker
            return [], BadInput(f"{job.stage}_failed", f"{type(error).__name__}: {error}")
        self._observe("decode", job.timings_ms["decode"])
        for image in images:
            self._quality.observe(image.quality)
        return images, None

    async def _image(self, passage: Passage, frame: Frame) -> bytes:
        """Return the bytes of the image, those that came or those that a claim check names."""
        if frame.image is not None:
            return frame.image
        if frame.image_uri is None:
            raise BadInput("no_image", "neither image bytes nor image_uri")
        if passage.admission is not None:
            image = await self._claims.in_turn(passage.job, frame.image_uri)
            if image is not None:
                return image
            self._gate.step_aside(passage.admission)
            passage.admission = None
        async with self._claims.aside(passage.job, frame.image_uri) as image:
            passage.admission = await self._admit(passage.job, image)
            return image

    async def _send(self, image: Image, embedded: PassResult) -> None:
        """Send the embedding of an image, or the dead letter of one that has none."""
        if isinstance(embedded.result, BadInput):
            image.job.stage = "forward"
            await self._outbox.dead(image.job, embedded.result)
            return
        timing = (embedded.started_ms, embedded.done_ms)
        try:
            event = image.embedding(embedded.result, self._lanes.version, *timing)
            record = event.record(self._outbox.embedding_topic)
        except Exception as error:  # noqa: BLE001  # one frame must not end the worker
            image.job.stage = "produce"
            why = BadInput("produce_failed", f"{type(error).__name__}: {error}")
            await self._outbox.dead(image.job, why)
            return
        await self._outbox.embedding(image.job, record)

    async def _admit(self, job: Job, image: bytes | None) -> Admission:
        bare = len(job.record.value or b"")
        weight = bare if job.frame is None else self._decoder.weigh(job.frame, image)
        return await self._gate.admit(weight, job.record.partition)

    def _give_back(self, passage: Passage) -> None:
        if passage.admission is not None:
            self._gate.leave(passage.admission)
        if passage.claim is not None:
            self._gate.claims.release(passage.claim)

    def _aside(self) -> "list[asyncio.Task[None]]":
        return [task for task, passage in self._running.items() if passage.admission is None]

    def _observe(self, stage: str, milliseconds: float) -> None:
        self._metrics.stage_seconds.labels(stage).observe(milliseconds / 1000)
