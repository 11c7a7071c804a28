"""How a service that must end stops a client of Kafka, whether the broker answers or not."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

_CLOSE_S = 1.0


async def part_from(client: AIOKafkaConsumer | AIOKafkaProducer, within_s: float) -> None:
    """Stop the client; where the broker does not answer in time, close only its connections.

    A client whose ``stop`` is cut short leaves its connections open: aiokafka closes them last.
    """
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(client.stop(), within_s)
        return
    # What lies unsent in a buffer would be waited for: closed they are from here on in any case.
    with suppress(TimeoutError):
        connections = client._client if isinstance(client, AIOKafkaConsumer) else client.client
        await asyncio.wait_for(connections.close(), _CLOSE_S)
