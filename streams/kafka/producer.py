"""Records out: one producer for all agents, every batch acknowledged before it counts."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas.records import Record
from schemas.topics import DEAD_LETTERS

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
