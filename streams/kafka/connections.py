"""The clients that all agents share: one producer, one Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from schemas.health import Health
from schemas.settings import Settings
from streams.index.redis import RedisIndex
from streams.kafka.lifecycle import unless
from streams.kafka.producer import KafkaPublisher


@asynccontextmanager
async def publisher(
    settings: Settings, health: Health, stop: asyncio.Event
) -> AsyncIterator[KafkaPublisher]:
    """Connect a producer, however long that takes; without a connection only if ``stop`` is set."""
    client = KafkaPublisher(settings.need_kafka())
    try:
        await unless(stop, _connected(client, health))
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


@asynccontextmanager
async def redis_index(settings: Settings) -> AsyncIterator[RedisIndex]:
    """Connect to Redis, which is asked only when it is used."""
    index = RedisIndex.connect(
        settings.need_redis(),
        prefix=settings.topic_prefix,
        hnsw_above=settings.hnsw_above,
        timeout_s=settings.redis_timeout_s,
    )
    try:
        yield index
    finally:
        await index.close()
