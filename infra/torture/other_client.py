"""A producer of another make: librdkafka sends what aiokafka refuses, as a null key and value."""

import asyncio
from typing import Any

from confluent_kafka import Producer

from schemas.errors import DependencyDown
from schemas.records import Record

_WAIT_S = 40.0


class OtherProducer:
    """Sends one record at a time and waits for it."""

    def __init__(self, address: str) -> None:
        self._client = Producer(
            {
                "bootstrap.servers": address,
                "acks": "all",
                "message.timeout.ms": int(_WAIT_S * 1000),
                "log_level": 0,
            }
        )

    async def send(self, record: Record) -> str:
        """Send a record and return its position (topic-partition-offset).

        Raises:
            DependencyDown: the broker did not acknowledge it.
        """
        return await asyncio.to_thread(self._send, record)

    def _send(self, record: Record) -> str:
        told: list[tuple[Any, Any]] = []
        self._client.produce(
            record.topic,
            record.value,
            record.key,
            headers=list(record.headers),
            on_delivery=lambda error, message: told.append((error, message)),
        )
        self._client.flush(_WAIT_S + 5)
        if not told or told[0][0] is not None:
            raise DependencyDown("kafka", f"not acknowledged: {told[0][0] if told else 'silence'}")
        message = told[0][1]
        return f"{message.topic()}-{message.partition()}-{message.offset()}"
