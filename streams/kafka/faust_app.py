"""Faust, tamed: the settings and the overrides that this system needs of it.

Faust hard-codes a fetch wait of 1500 ms; how long a fetch waits here, :mod:`access.fetch_pace`
says. A group join takes half the session timeout on the embedded broker, hence the short sessions.

What Faust does by itself with offsets and at its end is not what is promised here, see
:mod:`streams.kafka.faithful`.
"""

import asyncio
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver

from access.faust import faust_options
from schemas.reading import Reading
from schemas.settings import Settings
from streams.kafka.faithful import FaithfulConsumer, FaithfulThread


class _ConsumerThread(FaithfulThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # no setting exists for it
        return consumer


class _Consumer(FaithfulConsumer):
    def _new_consumer_thread(self) -> Any:
        thread = _ConsumerThread(self, loop=self.loop, beacon=self.beacon)
        app = cast(TamedApp, self.app)
        thread.reading, thread.settings = app.reading, app.settings
        return thread


class _Transport(driver.Transport):
    Consumer = _Consumer


class TamedApp(faust.App):
    """A Faust app that wakes at once, declares no topic, serves no web page and writes no file."""

    def __init__(self, *args: Any, settings: Settings, reading: Reading, **options: Any) -> None:
        super().__init__(*args, **options)
        self.settings = settings
        self.reading = reading
        self.ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def give_up(self, why: BaseException) -> None:
        """Say that a part ended which must run for ever; while stopping that is as it must be."""
        if not self.should_stop and not self.ended.done():
            self.ended.set_result(why)

    def is_current(self, event: Any) -> bool:
        """Tell whether an event was read since partitions changed hands last."""
        generation: int = event.message.generation_id
        return self.flow_control.is_active() and generation == self.consumer_generation_id

    @property
    def reader(self) -> FaithfulConsumer:
        """Its consumer, under the name of its class."""
        return cast(FaithfulConsumer, self.consumer)

    def _new_transport(self) -> Any:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: there are no tables to keep, and the working directory may be read-only."""


def tamed_app(settings: Settings, reading: Reading) -> TamedApp:
    """Return an app of the consumer group of the streams that reads by ``reading``.

    Raises:
        DependencyDown: a password's file cannot be read.
    """
    return TamedApp(
        settings.streams_group,
        settings=settings,
        reading=reading,
        **faust_options(settings),
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=6.0,
        broker_rebalance_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_commit_interval=0.5,
        # Few records wait inside the process: the rest stays on the broker while we are held up.
        stream_buffer_maxsize=256,
        broker_max_poll_records=256,
        # A batch that waits for Redis is patient, not stuck: Faust need not warn of it.
        stream_processing_timeout=24 * 3600.0,
        broker_max_poll_interval=24 * 3600.0,
    )
