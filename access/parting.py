"""How a service that must end stops a client of Kafka, whether the broker answers or not."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

_CLOSE_S = 1.0


async def part_from(client: AIOKafkaConsumer | AIOKafkaProducer, within_s: float) -> bool:
    """Stop the client; where the broker does not answer in time, close only its connections.

    Returns:
        Whether it was in time.
    """
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(client.stop(), within_s)
        return True
    await close_connections(client)
    return False


async def close_connections(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Close those of a client whose ``stop`` was cut short: aiokafka closes them last."""
    # What lies unsent in a buffer would be waited for: closed they are from here on in any case.
    with suppress(TimeoutError):
        connections = client._client if isinstance(client, AIOKafkaConsumer) else client.client
        await asyncio.wait_for(connections.close(), _CLOSE_S)
