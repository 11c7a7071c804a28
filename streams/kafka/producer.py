"""Records out: one producer for all agents, every batch acknowledged before it counts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from access.kafka import aiokafka_options
from access.parting import part_from
from access.patience import Patience, unless
from access.refusals import rights_named
from access.rights import Operation
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS

STOP_S = 2.0

log = logging.getLogger(__name__)


class KafkaPublisher:
    """Puts records on their topics; call it like a function (``streams.kafka.stage.Publish``)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaConnectionError: when no broker answers.
            DependencyDown: a password's file cannot be read.
        """
        client = AIOKafkaProducer(
            **aiokafka_options(self._settings),
            acks="all",
            max_request_size=DEAD_LETTERS.max_bytes,
        )
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        self._client = client

    async def stop(self) -> None:
        """Send what is left and disconnect, within limits: the broker may be gone.

        What is not sent then was not acknowledged to an agent either, so it is made again.
        """
        if self._client is not None and not await part_from(self._client, STOP_S):
            log.warning("the broker did not take what was left within %g s", STOP_S)

    async def __call__(self, records: Sequence[Record]) -> list[int]:
        """Send the records; return their offsets in the same order.

        Raises:
            KafkaError: when one of them could not be acknowledged; then all may be sent again.
            NotAllowed: we may not write to a topic.
        """
        with rights_named(self._settings, Operation.WRITE):
            pending = [
                await self._connected.send(
                    record.topic, record.value, key=record.key, headers=list(record.headers)
                )
                for record in records
            ]
            return [sent.offset for sent in await asyncio.gather(*pending)]

    @property
    def _connected(self) -> AIOKafkaProducer:
        if self._client is None:
            raise RuntimeError("the producer is not connected")
        return self._client


@asynccontextmanager
async def publisher(runtime: Runtime, stop: asyncio.Event) -> AsyncIterator[KafkaPublisher]:
    """Connect a producer, however long that takes; without a connection only if ``stop`` is set."""
    client = KafkaPublisher(runtime.settings)
    try:
        await unless(stop, Patience(runtime)("connect", client.start))
        yield client
    finally:
        await client.stop()
