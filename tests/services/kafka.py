"""Kafka as a test sees it: put records, and collect what comes until a condition holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from access.kafka import aiokafka_options
from recognition.cluster import EVERYWHERE
from schemas.embedding import Embedding
from schemas.event import now
from schemas.gallery_fold import GalleryFold
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, GALLERY, Topic
from streams.index.redis import RedisIndex

Put = Callable[[Iterable[Record]], Awaitable[None]]


@asynccontextmanager
async def putting(settings: Settings) -> AsyncIterator[Put]:
    """Connect, and yield what puts records on their topics and waits for acknowledgements."""
    producer = AIOKafkaProducer(**aiokafka_options(settings), max_request_size=80 * 2**20)

    async def put_all(records: Iterable[Record]) -> None:
        for record in records:
            await producer.send(
                record.topic, record.value, key=record.key, headers=list(record.headers)
            )
        await producer.flush()

    await producer.start()
    try:
        yield put_all
    finally:
        await producer.stop()


async def put(settings: Settings, records: Iterable[Record]) -> None:
    """Put records on their topics and wait for the acknowledgements."""
    async with putting(settings) as put_all:
        await put_all(records)


@asynccontextmanager
async def collecting(settings: Settings, *topics: Topic) -> AsyncIterator[list[Record]]:
    """Fill a list with what arrives on the topics, from their beginning."""
    consumer = AIOKafkaConsumer(
        *(settings.topic(topic) for topic in topics),
        **aiokafka_options(settings),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        fetch_max_bytes=128 * 2**20,
        max_partition_fetch_bytes=80 * 2**20,
    )
    await consumer.start()
    found: list[Record] = []

    async def collect() -> None:
        async for message in consumer:
            found.append(Record.of(message))

    task = asyncio.create_task(collect())
    try:
        yield found
    finally:
        task.cancel()
        await consumer.stop()


async def eventually(condition: Callable[[], bool], what: str, *, within_s: float = 60) -> None:
    """Poll until the condition holds; fail with ``what`` when it never does."""
    async with asyncio.timeout(within_s):
        try:
            while not condition():
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            raise AssertionError(f"not within {within_s} s: {what}") from None


def fold_of(settings: Settings, records: Iterable[Record]) -> GalleryFold:
    """Return what those of the records say that lie on ``gallery``."""
    fold = GalleryFold()
    for record in records:
        if record.topic == settings.topic(GALLERY):
            fold.take(record)
    return fold


@asynccontextmanager
async def running(service: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run a service beside the test; its errors are the test's."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(service(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def indexed(settings: Settings, entries: int) -> None:
    """Wait until the index holds so many entries; the topic has them a little before."""
    index = RedisIndex.of(settings)
    try:
        async with asyncio.timeout(60):
            while await _held(index) < entries:
                await asyncio.sleep(0.02)
    finally:
        await index.close()


async def _held(index: RedisIndex) -> int:
    state = await index.state()
    models = {} if state is None else state.models
    return sum(shards[EVERYWHERE].entries for shards in models.values())


def embedding(event_id: str, vector: Any, **changes: Any) -> Embedding:
    """Return an embedding event; the vector is brought to unit norm."""
    unit = np.asarray(vector, dtype=np.float32)
    values: dict[str, Any] = {
        "event_id": event_id,
        "source": "cam-1",
        "captured_at": now(),
        "background": {},
        "region": None,
        "vector": unit / np.linalg.norm(unit),
        "model": "test@000000000000",
        "timings_ms": {},
    }
    return Embedding(**{**values, **changes})


def embedding_records(settings: Settings, embeddings: Iterable[Embedding]) -> list[Record]:
    """Return the records for the ``embeddings`` topic."""
    return [e.record(settings.topic(EMBEDDINGS)) for e in embeddings]
