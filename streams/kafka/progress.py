"""How far the streams have read and committed, and whether they stand still."""

import asyncio
from time import monotonic

from aiokafka.errors import IllegalStateError
from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from schemas.errors import DependencyDown
from schemas.health import Health, PartitionProgress, Stall
from schemas.metrics import Metrics
from streams.kafka.faust_app import TamedApp

PATIENCE_S = 3.0


class Progress:
    """Measures the lag of each partition, and says so when one stands still."""

    def __init__(self, app: TamedApp, metrics: Metrics, health: Health, after_s: float) -> None:
        self._app = app
        self._metrics = metrics
        self._health = health
        self._stall = Stall(after_s)
        self._seen: dict[str, PartitionProgress] = {}

    async def measure(self) -> None:
        """Measure once.

        Raises:
            DependencyDown: the broker does not answer.
        """
        try:
            await self._measure()
        except Exception:
            self._judge(held_up=True)
            raise
        self._judge(held_up=self._health.held_up)

    def _judge(self, *, held_up: bool) -> None:
        why = self._stall.see(monotonic(), self._seen, held_up=held_up)
        self._health.stands_still(why)

    async def _measure(self) -> None:
        owned = assigned(self._app)
        if not owned:
            self._seen = {}
            return
        if not await self._thread_answers():
            # Then it does not fetch either, and nobody knows what waits.
            self._seen = {_name(place): PartitionProgress(None, waiting=True) for place in owned}
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                ends = await self._app.consumer.highwaters(*owned)
                self._seen = {_name(p): await self._place(p, ends.get(p, 0)) for p in owned}
        except TimeoutError:
            why = f"the broker has not answered for {PATIENCE_S:g} s"
            raise DependencyDown("kafka", why) from None
        except IllegalStateError:
            self._seen = {}  # a partition was taken away meanwhile

    async def _place(self, place: TP, end: int) -> PartitionProgress:
        reader = self._app.reader
        read = await reader.position(place) or 0
        # Each of the two may lag behind: the embedded broker tells the end of its newest batch
        # but one, and what the last fetch told grows old while nothing is fetched.
        lag = max(0, end - read, (reader.highwater(place) or 0) - read)
        self._metrics.consumer_lag.labels(place.topic, str(place.partition)).set(lag)
        standing = reader.offsets.standing((place.topic, place.partition))
        return PartitionProgress(standing.committed, waiting=lag > 0 or standing.open)

    async def _thread_answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._app.reader.ping()
        except TimeoutError:
            return False
        return True


def assigned(app: TamedApp) -> set[TP]:
    """Return the partitions that the app owns now."""
    try:
        return app.consumer.assignment()
    except ConsumerNotStarted:
        return set()


def _name(place: TP) -> str:
    return f"{place.topic}-{place.partition}"
