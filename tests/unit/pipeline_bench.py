"""A pipeline between a fake consumer and a fake broker, for tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiokafka.errors import MessageSizeTooLargeError
from numpy.typing import NDArray

from access.patience import Patience
from schemas.embedding import Embedding, read_embedding
from schemas.errors import DependencyDown
from schemas.event import bare_id
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.settings import load_settings
from schemas.topics import DEAD_LETTERS
from tests.pictures import encode, quarters
from workers.images.claim_check import Fetcher
from workers.images.decode import Limits
from workers.service.batching import Lanes
from workers.service.claims import Claims
from workers.service.decoder import Decoder
from workers.service.outbox import Outbox
from workers.service.pipeline import Pipeline

IMAGE = encode(quarters())
BLACK = encode(quarters() * 0, "PNG")


class Model:
    """Unit vectors; a black image makes it fail."""

    version = "test@000000000000"
    input_size = (16, 16)

    def __init__(self) -> None:
        self.down = 0
        self.batches: list[int] = []

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(images))
        if self.down:
            self.down -= 1
            raise DependencyDown("model", "gone")
        if (images.max(axis=(1, 2, 3)) == 0).any():
            raise RuntimeError("too dark")
        return np.repeat(np.array([[0.6, 0.8]], np.float32), len(images), axis=0)


class Broker(Outbox):
    """An outbox whose broker is a list; it acknowledges while it is open."""

    def __init__(self, runtime: Runtime, patience: Patience) -> None:
        super().__init__(runtime, patience)
        self.records: list[Record] = []
        self.open = asyncio.Event()
        self.open.set()
        self.largest = 10**9

    async def _send(self, record: Record) -> None:
        if len(record.value or b"") + sum(len(v) for _, v in record.headers) > self.largest:
            raise MessageSizeTooLargeError
        self.records.append(record)
        await self.open.wait()

    @property
    def embeddings(self) -> list[Embedding]:
        return [read_embedding(r) for r in self.records if not r.topic.endswith("dead-letters")]


class Bench:
    """A pipeline with all its neighbours."""

    def __init__(self, runtime: Runtime, tasks: asyncio.TaskGroup, fetcher: Fetcher) -> None:
        self.health = runtime.health
        patience = Patience(runtime, max_wait_s=0.001)
        self.metrics = runtime.metrics
        self.model = Model()
        self.broker = Broker(runtime, patience)
        limits = Limits(10**6, 10**6)
        self.decoder = Decoder(limits, self.model.input_size, threads=2)
        claims = Claims(runtime, fetcher, max_wait_s=0.1)
        lanes = Lanes(runtime, self.model, 2, lambda: self.decoder.busy, patience, tasks)
        self.pipeline = Pipeline(
            runtime, claims, self.decoder, lanes, self.broker, tasks, declaration=None
        )
        self.settled: list[int] = []

    async def submit(self, offset: int, value: bytes = IMAGE, **headers: Any) -> None:
        partition = headers.pop("partition", 0)
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in headers.items()}
        packed = (("ce_id", f"f-{offset}".encode()), *((k, t.encode()) for k, t in texts.items()))
        record = Record("frames", b"cam", value, packed, partition, offset, 0)
        await self.pipeline.submit(record, lambda: self.settled.append(offset))

    async def drained(self) -> None:
        async with asyncio.timeout(60):
            await self.pipeline.drained()

    @property
    def ids(self) -> list[str]:
        """The ids as they were published: all frames have one source."""
        return [bare_id(embedding.event_id) for embedding in self.broker.embeddings]

    @property
    def dead(self) -> dict[str | None, tuple[str | None, str | None]]:
        return {
            r.header("ce_id"): (r.header("dead_stage"), r.header("dead_reason"))
            for r in self.broker.records
            if r.topic.endswith(DEAD_LETTERS.name)
        }


@asynccontextmanager
async def bench(metrics: Metrics, **changes: Any) -> AsyncIterator[Bench]:
    settings = load_settings(**{"batch_deadline_ms": 1, "batch_size": 4, **changes})
    fetcher = Fetcher(settings.image_uri_allow, 10**6, settings.image_uri_timeout_s, None)
    async with fetcher, asyncio.TaskGroup() as tasks:
        pipeline = Bench(Runtime(settings, metrics, Health(metrics)), tasks, fetcher)
        try:
            yield pipeline
        finally:
            await pipeline.pipeline.close()
            pipeline.decoder.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)
