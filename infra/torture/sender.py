"""Sends records until the broker has them, however long it is away."""

import asyncio
import time
from typing import Any, Protocol

from confluent_kafka import Producer

from access.kafka import librdkafka_options
from infra.torture.register import Register
from infra.torture.traffic import Outbound, Traffic
from schemas.errors import DependencyDown
from schemas.records import Record
from schemas.settings import Settings

_WAIT_S = 40.0


class OtherProducer:
    """Sends one record at a time and waits for it."""

    def __init__(self, settings: Settings) -> None:
        self._client = Producer(
            {
                **librdkafka_options(settings),
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
        reports: list[tuple[Any, Any]] = []
        self._client.produce(
            record.topic,
            record.value,
            record.key,
            headers=list(record.headers),
            on_delivery=lambda error, message: reports.append((error, message)),
        )
        self._client.flush(_WAIT_S + 5)
        if not reports or reports[0][0] is not None:
            raise DependencyDown(
                "kafka", f"not acknowledged: {reports[0][0] if reports else 'silence'}"
            )
        message = reports[0][1]
        return f"{message.topic()}-{message.partition()}-{message.offset()}"


_IN_FLIGHT = 200
_AGAIN_S = 0.5


class Sends(Protocol):
    """A producer, of whatever make."""

    async def send(self, record: Record) -> str:
        """Send a record, wait until it is acknowledged and return its position."""
        ...


async def deliver(broker: Sends, record: Record) -> str:
    """Send a record until it is acknowledged; return its position (topic-partition-offset)."""
    while True:
        try:
            return await broker.send(record)
        except DependencyDown:
            await asyncio.sleep(_AGAIN_S)


class Sender:
    """Publishes the traffic at a steady rate, and tells the register what was acknowledged."""

    def __init__(self, broker: Sends, other: Sends, traffic: Traffic, register: Register) -> None:
        """Prepare; bad records go by ``other``, which refuses none of them."""
        self._broker = broker
        self._other = other
        self._traffic = traffic
        self._register = register

    async def publish(self, seconds: float, rate: float) -> None:
        """Publish for so many seconds, and return once the broker has all of it.

        While it does not answer, no more than a few hundred records wait for it.
        """
        room = asyncio.Semaphore(_IN_FLIGHT)
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            while time.monotonic() < until:
                due = time.monotonic() + 1 / rate
                for outbound in self._traffic.next():
                    await room.acquire()
                    tasks.create_task(self._send(outbound, room))
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _send(self, outbound: Outbound, room: asyncio.Semaphore) -> None:
        try:
            broker = self._broker if outbound.flaw is None else self._other
            position = await deliver(broker, outbound.record)
            self._register.sent(outbound, position, time.time())
        finally:
            room.release()
