"""The only wiring: settings in, running agents out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import KafkaError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from schemas.errors import DependencyDown
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    GALLERY,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
    Topic,
)
from streams.agents import gallery_of, matcher_of, retention_of, review_of
from streams.conditioning_log import KafkaConditioningLog
from streams.gallery import GalleryAgent
from streams.gallery_log import KafkaGalleryLog
from streams.index.base import Index
from streams.index.redis import RedisIndex
from streams.placement import Placements, Plain
from streams.publisher import KafkaPublisher
from streams.stage import Handler, Publish, Stage
from streams.tamed import TamedApp, tamed_app

AGENTS = frozenset({"matcher", "review", "gallery"})
TICK_S = 1.0
_COMMAND_BATCH, _COMMAND_WAIT_S = 64, 0.01

log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    metrics: Metrics,
    health: Health,
    stop: asyncio.Event,
    only: frozenset[str] = AGENTS,
) -> None:
    """Run the agents until ``stop`` is set; when Faust gives up, begin again with a new app."""
    for part in ("kafka", "redis"):
        health.down(part, "starting")
    async with _publisher(settings, health) as publish, _index(settings) as index:
        while not stop.is_set():
            app = build_app(settings, metrics, health, publish, index, only)
            await _run_until(stop, app)
            if not stop.is_set():
                health.down("kafka", f"Faust stopped: {app.crash_reason!r}")
                log.error("Faust stopped; beginning again", exc_info=app.crash_reason)
                await asyncio.sleep(TICK_S)


async def _run_until(stop: asyncio.Event, app: TamedApp) -> None:
    """Run the app until ``stop`` is set or it ends by itself."""
    asked = asyncio.ensure_future(stop.wait())
    ended = asyncio.ensure_future(app.wait_until_stopped())
    try:
        await app.start()
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        ended.cancel()
        await app.stop()


def build_app(
    settings: Settings,
    metrics: Metrics,
    health: Health,
    publish: Publish,
    index: Index,
    only: frozenset[str] = AGENTS,
) -> TamedApp:
    """Return a Faust app with the agents named in ``only``, ready to start."""
    app = tamed_app(settings.streams_group, settings.need_kafka())

    def attach(name: str, topic: Topic, handler: Handler, size: int, wait_s: float) -> None:
        stage = Stage(
            name,
            handler,
            publish,
            dead_letters=settings.topic(DEAD_LETTERS),
            metrics=metrics,
            health=health,
        )
        _attach(app, stage, settings.topic(topic), size, wait_s)

    placements = Placements(Plain(settings.shard_by))
    if "matcher" in only:
        wait_s = settings.match_deadline_ms / 1000
        matcher = matcher_of(settings, metrics, index, placements)
        attach("matcher", EMBEDDINGS, matcher.handle, settings.match_batch, wait_s)
    if "review" in only:
        review = review_of(settings)
        attach("review", REVIEW_DECISIONS, review.handle, _COMMAND_BATCH, _COMMAND_WAIT_S)
    if "gallery" in only:
        gallery = _gallery(settings, metrics, publish, index, placements, _term(app, settings))
        attach("gallery", GALLERY_COMMANDS, gallery.handle, _COMMAND_BATCH, _COMMAND_WAIT_S)
        attach("conditioning", CONDITIONING, gallery.heard, _COMMAND_BATCH, _COMMAND_WAIT_S)
        _each_second(app, gallery.tick, metrics, health)
    _each_second(app, lambda: _look(app, index, metrics, health), metrics, health)
    _on_assignment(app, health)
    return app


def _attach(app: TamedApp, stage: Stage, topic: str, size: int, wait_s: float) -> None:
    async def consume(stream: Any) -> None:
        async for events in stream.noack_take(size, within=wait_s):
            await stage.process([Record.of(event.message) for event in events])
            for event in events:
                event.ack()

    app.agent(app.topic(topic), name=stage.name)(consume)


def _each_second(
    app: TamedApp, work: Callable[[], Awaitable[None]], metrics: Metrics, health: Health
) -> None:
    down: set[str] = set()

    async def tick() -> None:
        try:
            await work()
        except Exception as error:
            if not isinstance(error, DependencyDown | KafkaError):
                log.exception("a timer failed")
            metrics.retries.labels("timer").inc()
            part = getattr(error, "dependency", "kafka")
            down.add(part)
            health.down(part, repr(error))
        else:
            while down:
                health.up(down.pop())

    app.timer(interval=TICK_S)(tick)


async def _look(app: TamedApp, index: Index, metrics: Metrics, health: Health) -> None:
    for place in app.consumer.assignment():
        end, read = app.consumer.highwater(place), await app.consumer.position(place)
        if end is not None and read is not None:
            lag = metrics.consumer_lag.labels(place.topic, str(place.partition))
            lag.set(max(0, end - read))
    await index.state()
    health.up("redis")


def _on_assignment(app: TamedApp, health: Health) -> None:
    def assigned(_app: Any, *_args: Any, **_more: Any) -> None:
        health.up("kafka")

    app.on_partitions_assigned.connect(
        assigned,  # type: ignore[arg-type]  # its stub asks for positional-only names
        weak=False,
    )


def _gallery(
    settings: Settings,
    metrics: Metrics,
    publish: Publish,
    index: Index,
    placements: Placements,
    term: Callable[[], int | None],
) -> GalleryAgent:
    kafka = settings.need_kafka()
    return gallery_of(
        settings,
        metrics,
        index,
        placements,
        gallery_log=KafkaGalleryLog(kafka, settings.topic(GALLERY), publish),
        conditionings=KafkaConditioningLog(kafka, settings.topic(CONDITIONING)),
        rule=retention_of(settings),
        term=term,
    )


def _term(app: TamedApp, settings: Settings) -> Callable[[], int | None]:
    topic = settings.topic(GALLERY_COMMANDS)

    def term() -> int | None:
        owned = any(partition.topic == topic for partition in app.consumer.assignment())
        return app.consumer_generation_id if owned else None

    return term


@asynccontextmanager
async def _publisher(settings: Settings, health: Health) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(settings.need_kafka())
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(KafkaError),
        wait=wait_exponential_jitter(multiplier=0.1, max=5),
        before_sleep=lambda state: health.down("kafka", str(state.outcome)),
    ):
        with attempt:
            await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


@asynccontextmanager
async def _index(settings: Settings) -> AsyncIterator[RedisIndex]:
    index = RedisIndex.connect(
        settings.need_redis(),
        prefix=settings.topic_prefix,
        hnsw_above=settings.hnsw_above,
        timeout_s=settings.redis_timeout_s,
    )
    try:
        yield index
    finally:
        await index.close()
