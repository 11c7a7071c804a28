"""How the demo behaves on services it did not start: its own topics, and none left behind."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from access.kafka import librdkafka_options
from schemas.errors import DependencyDown
from schemas.settings import Settings
from schemas.topics import TOPICS
from streams.index.redis import redis_index

_TIMEOUT_S = 10.0


@contextmanager
def guest(settings: Settings) -> Iterator[Settings]:
    """Yield settings under which the demo meets nothing but its own, and clean up after it.

    The services that a run starts for itself are empty at first and gone at its end; only those
    that ``settings`` names see a new topic prefix.
    """
    if settings.kafka_bootstrap_servers is None and settings.redis_url is None:
        yield settings
        return
    prefix = f"{settings.topic_prefix}demo-{token_hex(4)}."
    own = settings.model_copy(update={"topic_prefix": prefix})
    try:
        yield own
    finally:
        if own.kafka_bootstrap_servers is not None:
            _clean_kafka(own)
        if own.redis_url is not None:
            with suppress(DependencyDown):  # it may have gone, which is why we end
                asyncio.run(_clean_redis(own))


def _clean_kafka(settings: Settings) -> None:
    client = AdminClient({**librdkafka_options(settings), "log_level": 0})
    topics = client.delete_topics([settings.topic(topic) for topic in TOPICS.values()])
    groups = client.delete_consumer_groups([settings.workers_group, settings.streams_group])
    for asked in (*topics.values(), *groups.values()):
        with suppress(KafkaException, TimeoutError):  # not every broker deletes; nobody is hurt
            asked.result(_TIMEOUT_S)


async def _clean_redis(settings: Settings) -> None:
    async with redis_index(settings) as index:
        await index.remove()
