"""One suite for every index: the exact twin in memory, and Redis."""

import uuid
from collections.abc import AsyncIterator

import pytest

from infra.local.embedded import Services
from streams.index.base import Index
from streams.index.memory import MemoryIndex
from streams.index.redis import RedisIndex


@pytest.fixture(params=["memory", "redis"])
async def index(request: pytest.FixtureRequest, stack_services: Services) -> AsyncIterator[Index]:
    if request.param == "memory":
        yield MemoryIndex()
        return
    prefix = f"t{uuid.uuid4().hex[:8]}."
    made = RedisIndex.connect(stack_services.redis, prefix=prefix, hnsw_above=30, timeout_s=5)
    yield made
    await made.remove()
    await made.close()
