"""The ``gallery`` topic read from the beginning, and written with acknowledgements."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import BadInput, DependencyDown
from schemas.gallery import GalleryEntry
from schemas.records import Record
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
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, enable_auto_commit=False, fetch_max_wait_ms=50
        )
        partition = TopicPartition(self._topic, 0)
        await consumer.start()
        try:
            consumer.assign([partition])
            consumer.seek(partition, after + 1)
            end = None
            # Compaction leaves gaps, so the position decides when the end is reached. The end that
            # a fetch tells is right; the embedded broker's answer to end_offsets is not.
            while end is None or await consumer.position(partition) < end:
                batches = await consumer.getmany(partition, timeout_ms=100)
                end = consumer.highwater(partition)
                for message in batches.get(partition, ()):
                    yield _change(Record.of(message)), message.offset
        finally:
            await consumer.stop()

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
