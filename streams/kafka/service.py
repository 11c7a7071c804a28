"""Agents on Faust: attached to their topics, and begun again where the broker ended Faust."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from access.patience import Patience, unless
from schemas.errors import Crashed, DependencyDown, SetupError
from schemas.health import Health
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import GALLERY_COMMANDS, Topic
from streams.kafka.faust_app import TamedApp, tamed_app
from streams.kafka.lifecycle import TICK_S, Timer, run_until
from streams.kafka.progress import Progress, assigned
from streams.kafka.stage import Handler, Publish, Stage
from streams.kafka.taking import batches
from streams.kafka.timers import patient

Ownership = Callable[[], int | None]
"""Names the present ownership of the gallery commands' partition; None without it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Agent:
    """What is done with the records of some topics, and once a second.

    Attributes:
        stages: by name, the topic that is read and what is done with its records.
        batch: how many records are handled at once, at most.
        wait_s: how long a batch waits for more.
        each_second: what is done without a record.
    """

    stages: Mapping[str, tuple[Topic, Handler]]
    batch: int = 64
    wait_s: float = 0.01
    each_second: Sequence[Timer] = ()


async def run_agents(
    runtime: Runtime,
    stop: asyncio.Event,
    publish: Publish,
    agents: Callable[[Ownership], Sequence[Agent]],
) -> None:
    """Run agents until ``stop`` is set; each time that Faust begins, they are made anew.

    Raises:
        SetupError: the operator must change something first.
        Crashed: anything else than the broker has ended them.
    """
    settings, metrics, health = runtime.settings, runtime.metrics, runtime.health
    while not stop.is_set():
        try:
            app = tamed_app(settings, runtime.reading())
        except DependencyDown as error:
            health.down(error.dependency, str(error))
            await unless(stop, asyncio.sleep(TICK_S))
            continue
        timers: list[Timer] = [Progress(app, metrics, health, settings.stalled_after_s).measure]
        for agent in agents(_ownership(app, settings.topic(GALLERY_COMMANDS))):
            for name, (topic, handler) in agent.stages.items():
                stage = Stage(name, handler, publish, runtime)
                _attach(app, stage, settings.topic(topic), agent)
            timers.extend(agent.each_second)
        _on_assignment(app, health)
        patience = Patience(runtime)
        why = await run_until(stop, app, [patient(timer, patience) for timer in timers])
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


def _attach(app: TamedApp, stage: Stage, topic: str, agent: Agent) -> None:
    async def consume(stream: Any) -> None:
        why: BaseException = Crashed(f"the agent {stage.name} ended")
        try:
            queue = stream.channel.queue
            async for events in batches(queue, agent.batch, agent.wait_s, app.is_current):
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


def _on_assignment(app: TamedApp, health: Health) -> None:
    def on_assigned(_app: Any, *_args: Any, **_more: Any) -> None:
        health.up("kafka")

    app.on_partitions_assigned.connect(
        on_assigned,  # type: ignore[arg-type]  # its stub asks for positional-only names
        weak=False,
    )


def _ownership(app: TamedApp, topic: str) -> Ownership:
    def ownership() -> int | None:
        owned = any(partition.topic == topic for partition in assigned(app))
        return app.consumer_generation_id if owned else None

    return ownership
