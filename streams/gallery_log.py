"""The ``gallery`` topic read from the beginning, and written with acknowledgements."""

from collections.abc import AsyncIterator, Sequence

from schemas.errors import BadInput, DependencyDown
from schemas.gallery import GalleryEntry
from schemas.records import Record
from streams.compacted import read_to_end
from streams.holdings import Change, Erased
from streams.stage import Publish


class KafkaGalleryLog:
    """The log behind the gallery, on one partition."""

    def __init__(self, bootstrap_servers: str, topic: str, publish: Publish) -> None:
        self._servers = bootstrap_servers
        self._topic = topic
        self._publish = publish

    async def read(self, after: int) -> AsyncIterator[tuple[Change, int]]:
        """Yield the changes with offsets above ``after``, up to the present end."""
        async for record in read_to_end(self._servers, self._topic, after):
            yield _change(record), record.offset

    async def append(self, changes: Sequence[Change]) -> Sequence[int]:
        """Put changes on the topic; return their offsets once acknowledged."""
        return await self._publish([self._record(change) for change in changes])

    def _record(self, change: Change) -> Record:
        if isinstance(change, Erased):
            return Record(self._topic, change.entry_id.encode(), None)
        return change.record(self._topic)


def _change(record: Record) -> Change:
    if record.value is None:
        return Erased((record.key or b"").decode())
    try:
        return GalleryEntry.read(record)
    except BadInput as error:
        # The truth itself cannot be read: going on without it would lose entries.
        raise DependencyDown("gallery", f"{record.position}: {error}") from error
