"""The ``conditioning`` topic: the last record decides."""

import logging
from collections.abc import AsyncIterator

from schemas.conditioning import Activation
from schemas.errors import BadInput
from schemas.reading import Reading
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import CONDITIONING
from streams.kafka.read_topic import TopicReader

log = logging.getLogger(__name__)


async def last_on_topic(settings: Settings, reading: Reading | None = None) -> Activation | None:
    """Read the topic of a deployment to its end, and return the last record that can be read."""
    reader = TopicReader(settings, settings.topic(CONDITIONING), reading)
    try:
        return await last_activation(reader.read(after=-1))
    finally:
        await reader.close()


async def last_activation(records: AsyncIterator[Record]) -> Activation | None:
    """Return the last record that can be read; those that cannot are set aside elsewhere."""
    last = None
    async for record in records:
        try:
            if record.problem is not None:
                raise record.problem
            last = Activation.read(record)
        except BadInput as error:
            log.warning("%s passed over: %s", record.position, error)
    return last
