"""What the worker writes: embeddings and dead letters, acknowledged by all replicas."""

import asyncio
import logging
from contextlib import suppress

from aiokafka import AIOKafkaProducer

from schemas.embedding import Embedding
from schemas.errors import BadInput, DependencyDown
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, EMBEDDINGS
from workers.job import Job
from workers.letters import CUT_VALUE, cut, letter, size
from workers.patience import TOO_LARGE, Patience

PART = "kafka"
_CLOSE_S = 3.0
_log = logging.getLogger(__name__)


class Outbox:
    """A producer that does not give up: each method returns once the broker has the record."""

    def __init__(self, settings: Settings, metrics: Metrics, patience: Patience) -> None:
        self._settings = settings
        self._metrics = metrics
        self._patience = patience
        self._producer: AIOKafkaProducer | None = None

    async def connect(self) -> None:
        """Find the broker, however long that takes."""
        self._producer = await self._patience(PART, "connect", self._connect)

    async def close(self) -> None:
        """Let go of the broker."""
        if self._producer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._producer.stop(), _CLOSE_S)

    async def embedding(self, job: Job, embedding: Embedding) -> None:
        """Put an embedding; if no broker takes it for its size, a dead letter."""
        try:
            await self._put(embedding.record(self._settings.topic(EMBEDDINGS)))
        except TOO_LARGE as error:
            job.stage = "produce"
            await self.dead(job, BadInput("embedding_too_large", f"{error}: a large background?"))

    async def dead(self, job: Job, error: BadInput) -> None:
        """Put a dead letter with the original bytes, as many of them as the broker takes."""
        self._metrics.outcomes.labels("dead", "", error.reason).inc()
        _log.info("%s is dead at %s: %s", job.record.position, job.stage, error)
        whole = letter(self._settings.topic(DEAD_LETTERS), job, error)
        if size(whole) <= DEAD_LETTERS.max_bytes:
            try:
                return await self._put(whole)
            except TOO_LARGE:
                _log.warning("the broker refuses %d bytes of dead letter", size(whole))
        try:
            return await self._put(cut(whole, CUT_VALUE))
        except TOO_LARGE:
            smallest = cut(whole, 0)
            return await self._patience(PART, "produce", lambda: self._insist(smallest))

    async def _put(self, record: Record) -> None:
        await self._patience(PART, "produce", lambda: self._send(record))

    async def _insist(self, record: Record) -> None:
        try:
            await self._send(record)
        except TOO_LARGE as error:
            why = f"refuses {size(record)} bytes of dead letter; raise its max.message.bytes"
            raise DependencyDown(PART, why) from error

    async def _send(self, record: Record) -> None:
        if self._producer is None:
            raise RuntimeError("the outbox is not connected")
        headers = list(record.headers)
        await self._producer.send_and_wait(record.topic, record.value, record.key, headers=headers)

    async def _connect(self) -> AIOKafkaProducer:
        largest = DEAD_LETTERS.max_bytes
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.need_kafka(),
            acks="all",
            max_batch_size=2**18,
            max_request_size=largest + 2**20,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer
