"""What the worker writes: embeddings and dead letters, acknowledged by all replicas."""

import asyncio
from dataclasses import replace
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from access.kafka import aiokafka_options
from access.parting import part_from
from access.patience import TOO_LARGE, Patience
from access.refusals import rights_named
from access.rights import Operation
from access.set_aside import SetAside
from schemas.codec import frame_name
from schemas.errors import BadInput
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import DEAD_LETTERS, EMBEDDINGS
from workers.service.job import Job

PART = "kafka"
_CLOSE_S = 2.0


class Outbox:
    """A producer that does not give up: each method returns once the broker has the record."""

    def __init__(self, runtime: Runtime, patience: Patience) -> None:
        self._settings = runtime.settings
        self._patience = patience
        self._set_aside = SetAside(runtime, patience, self._send)
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Find the broker, however long that takes."""
        await self._patience("connect", self._connected)

    async def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            await part_from(self._producer, _CLOSE_S)

    @property
    def embedding_topic(self) -> str:
        """The topic that embeddings go to."""
        return self._settings.topic(EMBEDDINGS)

    async def embedding(self, job: Job, embedding: Record) -> None:
        """Put an embedding; if no broker takes it for its size, a dead letter."""
        try:
            await self._patience("produce", partial(self._send, embedding))
        except TOO_LARGE as error:
            job.stage = "produce"
            await self.dead(job, BadInput("embedding_too_large", f"{error}: a large background?"))

    async def dead(self, job: Job, error: BadInput) -> None:
        """Put a dead letter with the original bytes, as many of them as the broker takes."""
        await self._set_aside(*origin_of(job), error, job.stage, job.attempts)

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
                await part_from(producer, _CLOSE_S)
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


def origin_of(job: Job) -> tuple[Record, str]:
    """Return the record of a job, with the frame's id wherever it could be read, and its name."""
    record, frame = job.record, job.frame
    if frame is None:
        return record, frame_name(record)
    if not record.header("ce_id"):
        record = replace(record, headers=(*record.headers, ("ce_id", frame.id.encode())))
    return record, frame.name()
