"""Records out: one producer for all agents, every batch acknowledged before it counts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from schemas.health import Health
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import DEAD_LETTERS
from streams.kafka.lifecycle import unless

STOP_S = 2.0

log = logging.getLogger(__name__)


class KafkaPublisher:
    """Puts records on their topics; call it like a function (``streams.kafka.stage.Publish``)."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            acks="all",
            max_request_size=DEAD_LETTERS.max_bytes,
        )

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaConnectionError: when no broker answers.
        """
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is left and disconnect, within limits: the broker may be gone.

        What is not sent then was not acknowledged to an agent either, so it is made again.
        """
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait({stopping}, timeout=STOP_S)
        if not done:
            log.warning("the broker did not take what was left within %g s", STOP_S)

    async def __call__(self, records: Sequence[Record]) -> list[int]:
        """Send the records; return their offsets in the same order.

        Raises:
            KafkaError: when one of them could not be acknowledged; then all may be sent again.
        """
        pending = [
            await self._producer.send(
                record.topic, record.value, key=record.key, headers=list(record.headers)
            )
            for record in records
        ]
        return [sent.offset for sent in await asyncio.gather(*pending)]


@asynccontextmanager
async def publisher(runtime: Runtime, stop: asyncio.Event) -> AsyncIterator[KafkaPublisher]:
    """Connect a producer, however long that takes; without a connection only if ``stop`` is set."""
    client = KafkaPublisher(runtime.settings.need_kafka())
    try:
        await unless(stop, _connected(client, runtime.health))
        yield client
    finally:
        await client.stop()


async def _connected(client: KafkaPublisher, health: Health) -> None:
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(KafkaError),
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        before_sleep=lambda state: health.down("kafka", str(state.outcome)),
    ):
        with attempt:
            await client.start()
