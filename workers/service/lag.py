"""Asking the broker: how far behind the worker is, whether it moves, and if the broker answers."""

import asyncio
from collections.abc import Callable
from time import monotonic

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from schemas.health import PartitionProgress, Stall
from schemas.metrics import Metrics
from schemas.offsets import Offsets
from schemas.runtime import Runtime
from workers.service.outbox import PART

_EVERY_S = 1.0
_PATIENCE_S = 3.0


async def report_lag(
    client: Callable[[], AIOKafkaConsumer], offsets: Offsets, after_s: float, runtime: Runtime
) -> None:
    """Set the lag of each partition every second, for ever; readiness follows the answers.

    A partition that stands still for ``after_s`` seconds while nothing is down makes the service
    not live.

    The broker is asked for the ends: what the consumer itself knows of them grows old as soon as
    back-pressure keeps it from fetching, which is when the lag matters.
    """
    metrics, health = runtime.metrics, runtime.health
    stall = Stall(after_s)
    places: dict[str, PartitionProgress] = {}
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                places = await _measure(client(), offsets, metrics)
            health.up(PART)
        except TimeoutError:
            health.down(PART, f"the broker has not answered for {_PATIENCE_S:g} s")
        except KafkaError as error:
            health.down(PART, str(error))
        health.stands_still(stall.see(monotonic(), places, held_up=health.held_up))
        await asyncio.sleep(_EVERY_S)


async def _measure(
    client: AIOKafkaConsumer, offsets: Offsets, metrics: Metrics
) -> dict[str, PartitionProgress]:
    partitions = client.assignment()
    ends = await client.end_offsets(partitions) if partitions else {}
    places: dict[str, PartitionProgress] = {}
    for partition, end in ends.items():
        position = await client.position(partition)
        metrics.consumer_lag.labels(partition.topic, partition.partition).set(end - position)
        standing = offsets.standing((partition.topic, partition.partition))
        waiting = end > position or standing.open
        places[f"{partition.topic}-{partition.partition}"] = PartitionProgress(
            standing.committed, waiting
        )
    return places
