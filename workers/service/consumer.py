"""Reading frames from Kafka: group membership, offsets, and when they are committed."""

import asyncio
import logging
from collections.abc import Iterable
from typing import NoReturn

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from access.fetch_pace import keep_pace
from access.kafka import aiokafka_options
from access.parting import part_from
from access.patience import Patience
from access.refusals import AllowedReads, is_lost, rights_named
from access.rights import Operation
from schemas.offsets import Offsets
from schemas.records import Record
from schemas.runtime import Runtime
from schemas.topics import FRAMES
from workers.service.pipeline import Pipeline

_COMMIT_EVERY_S = 0.2
_POLL_S = 0.5  # so late are partitions read that are newly ours, and marks of transactions noted
_NEVER_MS = 2**31 - 1
_HAND_OVER_S = 2.0
_log = logging.getLogger(__name__)


class FrameConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Feeds the pipeline, and commits an offset once every record up to it is settled."""

    def __init__(self, runtime: Runtime, patience: Patience, pipeline: Pipeline) -> None:
        self._settings = runtime.settings
        self._metrics = runtime.metrics
        self._patience = patience
        self._pipeline = pipeline
        self.offsets = Offsets()
        self._reading = runtime.reading()
        self._generation = 0
        # False while partitions change hands: what was fetched may then have been dropped.
        self._whole = True
        self._client: AIOKafkaConsumer | None = None

    @property
    def client(self) -> AIOKafkaConsumer:
        """The connected client."""
        if self._client is None:
            raise RuntimeError("the consumer is not connected")
        return self._client

    async def connect(self) -> None:
        """Join the group, however long that takes."""
        self._client = await self._patience("connect", self._connect)

    async def read(self) -> NoReturn:
        """Read and commit until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._commit_regularly())
            while True:
                await self._patience("read", self._read)

    async def finish(self, within_s: float) -> None:
        """Wait until what is inside is settled, and commit it."""
        if self._client is None:
            return
        try:
            async with asyncio.timeout(within_s):
                await self._pipeline.drained()
                await self._commit()
        except TimeoutError:
            _log.warning("not all settled within %g s: some frames will be read again", within_s)

    async def close(self) -> None:
        """Leave the group."""
        if self._client is not None:
            await part_from(self._client, _HAND_OVER_S)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give what is inside a moment to finish, so that less is done twice."""
        self._generation += 1
        self._whole = False
        if revoked:
            await self.finish(_HAND_OVER_S)
        self._pipeline.drop_waiting()
        self.offsets.forget()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start from what is committed."""
        self._generation += 1
        self._whole = True
        self.offsets.forget()
        _log.info("reading partitions %s", sorted(p.partition for p in assigned))

    async def _read(self) -> None:
        if is_lost(self.client):
            lost, self._client = self.client, await self._connect()
            await lost.stop()
        owned = self.client.assignment()
        await self._pass(owned)
        most, reads = self._settings.most_in_flight, AllowedReads(self.client, self._settings)
        fetched = await self._reading(reads, owned, timeout_s=_POLL_S, most=most)
        # Asked after the wait, not before: a rebalance meanwhile makes these no older.
        generation = self._generation
        records = [Record.of(message) for messages in fetched.values() for message in messages]
        begun = [(record, self.offsets.begin(record)) for record in records]
        for record, settle in begun:
            if generation != self._generation:
                return  # the rest is read again from what is committed, here or elsewhere
            await self.offsets.room(record)
            if generation != self._generation:
                return
            await self._pipeline.submit(record, settle)

    async def _pass(self, owned: Iterable[TopicPartition]) -> None:
        """Note that all below the positions is inside, or was none: nothing is fetched just now."""
        for partition in owned:
            position = await self.client.position(partition)
            if self._whole:
                self.offsets.passed((partition.topic, partition.partition), position)

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_EVERY_S)
            await self._commit()

    async def _commit(self) -> None:
        """Commit what is settled. Failing is harmless: it is committed later, or read again."""
        owned = {(p.topic, p.partition) for p in self.client.assignment()}
        due = {key: offset for key, offset in self.offsets.due().items() if key in owned}
        if not due:
            return
        try:
            await self.client.commit({TopicPartition(*key): due[key] for key in due})
        except KafkaError as error:
            self._metrics.retries.labels("commit").inc()
            _log.warning("offsets not committed: %s", error)
        else:
            self.offsets.committed(due)

    async def _connect(self) -> AIOKafkaConsumer:
        client = AIOKafkaConsumer(
            **aiokafka_options(self._settings),
            group_id=self._settings.workers_group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_bytes=FRAMES.request_bytes,
            max_partition_fetch_bytes=FRAMES.request_bytes,
            session_timeout_ms=6000,
            rebalance_timeout_ms=6000,
            heartbeat_interval_ms=1000,
            # While a dependency is down nothing is polled; that must not cost the partitions.
            max_poll_interval_ms=_NEVER_MS,
        )
        client.subscribe([self._settings.topic(FRAMES)], listener=self)
        try:
            with rights_named(self._settings, Operation.READ):
                await client.start()
            keep_pace(client)
        except BaseException:
            await client.stop()
            raise
        return client
