"""A topic of one partition, read from some offset to its present end."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.records import Record


async def read_to_end(bootstrap_servers: str, topic: str, after: int = -1) -> AsyncIterator[Record]:
    """Yield the records with offsets above ``after``, up to the present end."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, fetch_max_wait_ms=50
    )
    partition = TopicPartition(topic, 0)
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
                yield Record.of(message)
    finally:
        await consumer.stop()
