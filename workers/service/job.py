"""One frame on its way through the worker, and the images cut from it."""

from dataclasses import dataclass, field
from time import time

from recognition.quality import ImageQuality
from schemas.background import Declaration, undeclared
from schemas.codec import Frame, read_frame
from schemas.embedding import Embedding
from schemas.errors import BadInput
from schemas.event import Background, FloatVector, FramePosition, Region
from schemas.limits import STANDARD, FrameLimits
from schemas.records import Record
from workers.images.decode import Pixels
from workers.images.measured import as_told


def now_ms() -> float:
    """Return milliseconds since the epoch."""
    return time() * 1000


@dataclass(slots=True, eq=False)
class Job:
    """A record that was read and is not settled yet.

    Attributes:
        record: as it was published.
        received_ms: when it was read, milliseconds since the epoch.
        frame: what it says; ``None`` if it could not be read.
        background: checked and completed.
        problem: why it is dead already, before anything was decoded.
        stage: where it is, for the dead letter.
        attempts: how often the stage was tried.
        timings_ms: how long each stage took, up to decoding.
    """

    record: Record
    received_ms: float
    frame: Frame | None = None
    background: Background = field(default_factory=dict)
    problem: BadInput | None = None
    stage: str = "parse"
    attempts: int = 1
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def claim(self) -> str | None:
        """The URI that its image must be fetched from; ``None`` where there is nothing to fetch."""
        if self.frame is None or self.problem is not None or self.frame.image is not None:
            return None
        return self.frame.image_uri


@dataclass(slots=True, eq=False)
class Image:
    """The whole frame (``number`` is ``None``) or one of its regions, as the model takes it."""

    job: Job
    frame: Frame
    number: int | None
    pixels: Pixels
    quality: ImageQuality
    ready_ms: float

    @property
    def region(self) -> Region | None:
        """The box it was cut from."""
        return None if self.number is None else self.frame.regions[self.number]

    def embedding(
        self, vector: FloatVector, model: str, started_ms: float, done_ms: float
    ) -> Embedding:
        """Return the event for its embedding; the forward pass ran between the two instants."""
        record = self.job.record
        return Embedding(
            event_id=self.frame.name(self.number),
            source=self.frame.source,
            captured_at=self.frame.captured_at,
            background=self.job.background,
            region=self.region,
            vector=vector,
            model=model,
            timings_ms={
                **self.job.timings_ms,
                "wait": round(started_ms - self.ready_ms, 3),
                "forward": round(done_ms - started_ms, 3),
                "sent_at": round(now_ms(), 3),
            },
            quality=as_told(self.quality),
            frame=FramePosition(partition=record.partition, offset=record.offset),
        )


def read_job(
    record: Record, declaration: Declaration | None, limits: FrameLimits = STANDARD
) -> Job:
    """Read a record; what is wrong with it is noted in the job, never raised."""
    received = now_ms()
    job = Job(record, received)
    job.timings_ms["published_at"] = float(record.timestamp_ms)
    job.timings_ms["fetch"] = round(max(received - record.timestamp_ms, 0.0), 3)
    if record.problem is not None:
        job.problem = record.problem
        job.stage = "read"
        return job
    try:
        job.frame = read_frame(record, limits)
        job.background = _background(job.frame, declaration)
    except BadInput as error:
        job.problem = error
    except Exception as error:  # noqa: BLE001  # whatever a record does to us, the next one goes on
        job.problem = BadInput("unreadable_frame", f"{type(error).__name__}: {error}")
    return job


def _background(frame: Frame, declaration: Declaration | None) -> Background:
    if declaration is None:
        return undeclared(frame.background)
    return declaration.complete(frame.background, frame.captured_at)
