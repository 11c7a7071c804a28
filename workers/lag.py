"""Watching the broker: how far behind the worker is, and whether the broker answers at all."""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas.health import Health
from schemas.metrics import Metrics
from workers.outbox import PART

_EVERY_S = 1.0
_PATIENCE_S = 3.0


async def watch(client: AIOKafkaConsumer, metrics: Metrics, health: Health) -> None:
    """Set the lag of each partition every second, for ever; readiness follows the answers.

    The broker is asked for the ends: what the consumer itself knows of them grows old as soon as
    back-pressure keeps it from fetching, which is when the lag matters.
    """
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await _measure(client, metrics)
            health.up(PART)
        except TimeoutError:
            health.down(PART, f"the broker has not answered for {_PATIENCE_S:g} s")
        except KafkaError as error:
            health.down(PART, str(error))
        await asyncio.sleep(_EVERY_S)


async def _measure(client: AIOKafkaConsumer, metrics: Metrics) -> None:
    partitions = client.assignment()
    ends = await client.end_offsets(partitions) if partitions else {}
    for partition, end in ends.items():
        position = await client.position(partition)
        metrics.consumer_lag.labels(partition.topic, partition.partition).set(end - position)
