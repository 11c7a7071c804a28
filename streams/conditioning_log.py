"""The ``conditioning`` topic: the last record decides."""

import logging

from schemas.conditioning import ActiveConditioning
from schemas.errors import BadInput
from streams.compacted import read_to_end

log = logging.getLogger(__name__)


class KafkaConditioningLog:
    """The topic on one partition."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._servers = bootstrap_servers
        self._topic = topic

    async def last(self) -> ActiveConditioning | None:
        """Return the last record that can be read; those that cannot are set aside elsewhere."""
        found = None
        async for record in read_to_end(self._servers, self._topic):
            try:
                found = ActiveConditioning.read(record)
            except BadInput as error:
                log.warning("%s passed over: %s", record.position, error)
        return found
