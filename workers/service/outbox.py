"""What the worker writes: embeddings and dead letters, acknowledged by all replicas."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from access.kafka import aiokafka_options
from access.refusals import rights_named
from access.rights import Operation
from schemas.codec import frame_name
from schemas.dead_letter import at_lengths, dead_letter, size
from schemas.errors import BadInput, DependencyDown
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import DEAD_LETTERS, EMBEDDINGS
from workers.service.job import Job
from workers.service.retry import TOO_LARGE, Patience

PART = "kafka"
_CLOSE_S = 2.0
_log = logging.getLogger(__name__)


class Outbox:
    """A producer that does not give up: each method returns once the broker has the record."""

    def __init__(self, runtime: Runtime, patience: Patience) -> None:
        self._settings = runtime.settings
        self._metrics = runtime.metrics
        self._patience = patience
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Find the broker, however long that takes."""
        await self._patience(PART, "connect", self._connected)

    async def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            await _stop(self._producer)

    @property
    def embedding_topic(self) -> str:
        """The topic that embeddings go to."""
        return self._settings.topic(EMBEDDINGS)

    async def embedding(self, job: Job, embedding: Record) -> None:
        """Put an embedding; if no broker takes it for its size, a dead letter."""
        try:
            await self._put(embedding)
        except TOO_LARGE as error:
            job.stage = "produce"
            await self.dead(job, BadInput("embedding_too_large", f"{error}: a large background?"))

    async def dead(self, job: Job, error: BadInput) -> None:
        """Put a dead letter with the original bytes, as many of them as the broker takes."""
        self._metrics.outcomes.labels("dead", "", error.reason).inc()
        _log.info("%s is dead at %s: %s", job.record.position, job.stage, error)
        try:
            await self._dead(job.record, letter(self._settings.topic(DEAD_LETTERS), job, error))
        except Exception:  # noqa: BLE001  # one frame must not end the worker
            # What the record brings along (a header, its key) is more than the client can carry.
            _log.exception("%s: the dead letter is put without headers", job.record.position)
            bare = replace(job, record=replace(job.record, key=None, headers=()))
            await self._dead(job.record, letter(self._settings.topic(DEAD_LETTERS), bare, error))

    async def _dead(self, origin: Record, whole: Record) -> None:
        *longer, shortest = at_lengths(whole)
        for shown in longer:
            try:
                return await self._put(shown)
            except TOO_LARGE:
                _log.warning("%s: %d bytes of dead letter refused", origin.position, size(shown))
        return await self._patience(PART, "produce", lambda: self._insist(shortest))

    async def _put(self, record: Record) -> None:
        await self._patience(PART, "produce", lambda: self._send(record))

    async def _insist(self, record: Record) -> None:
        try:
            await self._send(record)
        except TOO_LARGE as error:
            why = f"refuses {size(record)} bytes of dead letter; raise its max.message.bytes"
            raise DependencyDown(PART, why) from error

    async def _send(self, record: Record) -> None:
        producer = await self._connected()
        headers = list(record.headers)
        try:
            with rights_named(self._settings, Operation.WRITE):
                await producer.send_and_wait(
                    record.topic, record.value, record.key, headers=headers
                )
        except KafkaError as error:
            # Without a class of its own it is aiokafka's word for a producer that has broken down:
            # every later send would be refused with it.
            if type(error) is KafkaError and self._producer is producer:
                self._producer = None
                await _stop(producer)
            raise

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                self._producer = await self._connect()
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **aiokafka_options(self._settings),
            acks="all",
            max_batch_size=2**18,
            max_request_size=DEAD_LETTERS.request_bytes,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


def letter(topic: str, job: Job, error: BadInput) -> Record:
    """Return the dead letter for a job. It carries the frame's id wherever that could be read."""
    origin = job.record
    if job.frame is not None and not origin.header("ce_id"):
        origin = replace(origin, headers=(*origin.headers, ("ce_id", job.frame.id.encode())))
    event = frame_name(job.record) if job.frame is None else job.frame.name()
    return dead_letter(topic, origin, error, job.stage, job.attempts, event=event)


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(producer.stop(), _CLOSE_S)
