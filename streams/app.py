"""The only wiring: settings in, running agents out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError

from schemas.errors import Crashed, SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.reading import Reading, SecondReader
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    CONDITIONING,
    DEAD_LETTERS,
    EMBEDDINGS,
    GALLERY_COMMANDS,
    REVIEW_DECISIONS,
    Topic,
)
from streams.agents import gallery_of, matcher_of, retention_of, review_of
from streams.conditioning.placement import Placements, Plain
from streams.gallery.agent import GalleryAgent
from streams.gallery.tenure import GalleryLog
from streams.index.base import Index
from streams.index.eviction import EvictionGuard, refuse_eviction
from streams.kafka.conditioning_topic import KafkaConditioningLog
from streams.kafka.connections import publisher, redis_index
from streams.kafka.faust_app import TamedApp, tamed_app
from streams.kafka.gallery_topic import kafka_gallery_log
from streams.kafka.lifecycle import TICK_S, Timer, run_until, unless
from streams.kafka.progress import Progress, assigned
from streams.kafka.stage import Handler, Publish, Stage
from streams.kafka.timers import patient, telling

AGENTS = frozenset({"matcher", "review", "gallery"})
_LONG = "reading the gallery or writing the index"
_COMMAND_BATCH, _COMMAND_WAIT_S = 64, 0.01

log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    metrics: Metrics,
    health: Health,
    stop: asyncio.Event,
    only: frozenset[str] = AGENTS,
    second: SecondReader | None = None,
) -> None:
    """Run the agents until ``stop`` is set; when the broker made Faust give up, begin again.

    ``second`` reads what the Kafka client cannot unpack; without it such a partition waits.

    Raises:
        SetupError: Redis may evict entries.
        Crashed: anything else has ended an agent, a timer, the consumer or Faust.
    """
    for part in ("kafka", "redis"):
        health.down(part, "starting")
    async with (
        redis_index(settings) as index,
        publisher(settings, health, stop) as publish,
        kafka_gallery_log(settings, publish, Reading(second, metrics)) as gallery_log,
    ):
        await unless(stop, refuse_eviction(index))
        while not stop.is_set():
            app, timers = build_app(
                settings, metrics, health, publish, index, gallery_log, only, second
            )
            why = await run_until(stop, app, timers)
            if why is not None:
                _judge(why, health)
                await unless(stop, asyncio.sleep(TICK_S))


def _judge(why: BaseException, health: Health) -> None:
    """Let Faust begin again if it was for the broker that it ended.

    Raises:
        SetupError: the operator must change something first.
        Crashed: it was for anything else.
    """
    if isinstance(why, SetupError):
        raise why
    if not isinstance(why, KafkaError):
        raise Crashed(f"the streams ended: {why!r}") from why
    health.down("kafka", f"Faust stopped: {why!r}")
    log.error("Faust stopped; beginning again", exc_info=why)


def build_app(
    settings: Settings,
    metrics: Metrics,
    health: Health,
    publish: Publish,
    index: Index,
    gallery_log: GalleryLog,
    only: frozenset[str] = AGENTS,
    second: SecondReader | None = None,
) -> tuple[TamedApp, list[Timer]]:
    """Return a Faust app with the agents named in ``only``, and what is to be done each second."""
    reading = Reading(second, metrics)
    app = tamed_app(settings.streams_group, settings.need_kafka(), reading)

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

    progress = Progress(app, metrics, health, settings.stalled_after_s)
    timers = [
        patient(progress.measure, metrics, health),
        patient(lambda: _ask(index, health), metrics, health),
        patient(EvictionGuard(index).check, metrics, health),
    ]
    placements = Placements(Plain(settings.shard_by))
    if "matcher" in only:
        wait_s = settings.match_deadline_ms / 1000
        matcher = matcher_of(settings, metrics, index, placements)
        attach("matcher", EMBEDDINGS, matcher.handle, settings.match_batch, wait_s)
    if "review" in only:
        review = review_of(settings)
        attach("review", REVIEW_DECISIONS, review.handle, _COMMAND_BATCH, _COMMAND_WAIT_S)
    if "gallery" in only:
        ownership = _ownership(app, settings)
        other = Reading(second, metrics)  # one for each consumer
        gallery = _gallery(settings, metrics, index, gallery_log, placements, ownership, other)
        handle = telling("gallery", _LONG, health, gallery.handle)
        attach("gallery", GALLERY_COMMANDS, handle, _COMMAND_BATCH, _COMMAND_WAIT_S)
        attach(
            "conditioning",
            CONDITIONING,
            gallery.on_activation_request,
            _COMMAND_BATCH,
            _COMMAND_WAIT_S,
        )
        timers.append(patient(telling("gallery", _LONG, health, gallery.tick), metrics, health))
    _on_assignment(app, health)
    return app, timers


def _attach(app: TamedApp, stage: Stage, topic: str, size: int, wait_s: float) -> None:
    async def consume(stream: Any) -> None:
        why: BaseException = Crashed(f"the agent {stage.name} ended")
        try:
            async for events in stream.noack_take(size, within=wait_s):
                with app.reader.at_work():
                    await stage.process([Record.of(event.message) for event in events])
                    for event in events:
                        app.reader.settle(event.message)
                for event in events:
                    event.ack()
        except BaseException as error:
            why = error
            raise
        finally:
            app.give_up(why)

    app.agent(app.topic(topic), name=stage.name)(consume)


async def _ask(index: Index, health: Health) -> None:
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
    index: Index,
    gallery_log: GalleryLog,
    placements: Placements,
    ownership: Callable[[], int | None],
    reading: Reading,
) -> GalleryAgent:
    kafka = settings.need_kafka()
    return gallery_of(
        settings,
        metrics,
        index,
        placements,
        gallery_log=gallery_log,
        conditionings=KafkaConditioningLog(kafka, settings.topic(CONDITIONING), reading),
        rule=retention_of(settings),
        ownership=ownership,
    )


def _ownership(app: TamedApp, settings: Settings) -> Callable[[], int | None]:
    topic = settings.topic(GALLERY_COMMANDS)

    def ownership() -> int | None:
        owned = any(partition.topic == topic for partition in assigned(app))
        return app.consumer_generation_id if owned else None

    return ownership
