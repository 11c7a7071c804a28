"""What the agents are made of, connected once for all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from access.patience import unless
from schemas.runtime import Runtime
from streams.conditioning.placement import Placements
from streams.gallery.activation import LastActivation
from streams.gallery.tenure import GalleryLog
from streams.index.base import Index
from streams.index.eviction import EvictionGuard, refuse_eviction
from streams.index.redis import redis_index
from streams.kafka.conditioning_topic import last_on_topic
from streams.kafka.gallery_topic import KafkaGalleryLog
from streams.kafka.producer import publisher
from streams.kafka.service import Agent, Ownership
from streams.kafka.stage import Publish


@dataclass(frozen=True, slots=True)
class AgentParts:
    """What the agents share.

    Attributes:
        runtime: settings, metrics and health.
        publish: puts records on their topics.
        index: where the gallery is searched.
        gallery_log: the ``gallery`` topic.
        last_activation: reads the ``conditioning`` topic.
        placements: how embeddings are placed under each conditioning.
        ownership: names the present ownership of the gallery commands; None without it.
    """

    runtime: Runtime
    publish: Publish
    index: Index
    gallery_log: GalleryLog
    last_activation: LastActivation
    placements: Placements
    ownership: Ownership = lambda: None


@asynccontextmanager
async def connected(runtime: Runtime, stop: asyncio.Event) -> AsyncIterator[AgentParts]:
    """Connect the parts, however long that takes; without the broker only if ``stop`` is set.

    Raises:
        SetupError: Redis may evict entries.
    """
    settings = runtime.settings
    for part in ("kafka", "redis"):
        runtime.health.down(part, "starting")
    async with (
        redis_index(settings) as index,
        publisher(runtime, stop) as publish,
        aclosing(KafkaGalleryLog(settings, publish, runtime.reading())) as gallery_log,
    ):
        await unless(stop, refuse_eviction(index))
        yield AgentParts(
            runtime,
            publish,
            index,
            gallery_log,
            partial(last_on_topic, settings, runtime.reading()),
            Placements(settings.shard_by),
        )


def index_watch(parts: AgentParts) -> Agent:
    """Return what asks each second whether Redis answers, and whether it may drop entries."""

    async def ask() -> None:
        await parts.index.state()
        parts.runtime.health.up("redis")

    return Agent({}, each_second=(ask, EvictionGuard(parts.index).check))
