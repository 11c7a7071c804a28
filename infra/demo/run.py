"""The demo's frames (rendered, or a manifest's), and its loop: publish, follow, answer, wait."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from client.follow import Follower
from client.gallery import Gallery
from client.names import Outgoing
from client.producer import Producer, producer
from client.publish import frame_record
from client.reader import reader
from client.reviews import answer_by_labels
from infra.demo.ledger import Ended, FrameVerdict, Ledger
from lab.images.manifest import from_manifest, read_manifest
from lab.scenery.world import render_year
from schemas.errors import SetupError
from schemas.settings import Settings
from schemas.topics import FRAMES, GALLERY

T = TypeVar("T")

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_END: Final = object()


def rendered(frames: int, places: int, seed: int) -> Iterator[Outgoing]:
    """Yield a rendered year, in time order."""
    for seen in render_year(frames, places, seed):
        yield Outgoing(
            given_id=seen.id,
            source=seen.source,
            captured_at=seen.captured_at,
            background=seen.background,
            label=seen.label,
            content_type="image/jpeg",
            load=seen.image.__bytes__,
        )


def photographs(manifest: Path, limit: int | None) -> tuple[Iterator[Outgoing], int]:
    """Return the first ``limit`` images of a manifest in time order, and how many they are.

    Raises:
        SetupError: the manifest is wrong, empty, or a file that it names is missing.
    """
    listed = from_manifest(read_manifest(manifest), source="demo")
    unique = {(frame.source, frame.given_id): frame for frame in listed}
    frames = in_time_order(unique.values())[:limit]
    if not frames:
        raise SetupError(f"{manifest}: there is no image in it")
    return iter(frames), len(frames)


def in_time_order(frames: Iterable[Outgoing]) -> list[Outgoing]:
    """Sort by the time of capture; frames without one keep their order, after all others."""
    return sorted(frames, key=_moment)


def _moment(frame: Outgoing) -> tuple[bool, datetime]:
    at = frame.captured_at
    return at is None, _LONG_AGO if at is None else at


class Ahead(Generic[T]):
    """Runs an iterator in a thread of its own, a bounded number of items ahead of its reader.

    It starts at once: the first frames are rendered while the services start.
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = iter(items)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._waiting: deque[Future[T | object]] = deque(self._request() for _ in range(depth))

    async def __aiter__(self) -> AsyncIterator[T]:
        while (item := await asyncio.wrap_future(self._waiting.popleft())) is not _END:
            self._waiting.append(self._request())
            yield item  # type: ignore[misc]  # `next` returns T, or the sentinel just ruled out

    def close(self) -> None:
        """Stop working ahead."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _request(self) -> "Future[T | object]":
        return self._pool.submit(next, self._items, _END)


class Window:
    """The unfinished frames: undecided ones, and those whose answer is not in the gallery yet.

    A year in half a minute would bring the next frames of a place before a person's answer to the
    first one could teach anything. Counting a frame until it has taught keeps the order of events
    that the real year has.
    """

    def __init__(
        self, size: int, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``patience_s``: after so long a frame no longer holds others back."""
        self._size = size
        self._patience = patience_s
        self._clock = clock
        self._entered: dict[str, float] = {}
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entered)

    async def enter(self, frame: str) -> None:
        """Wait for room, then count this frame, by its event name, as unfinished."""
        while len(self._entered) >= self._size:
            self._left.clear()
            oldest = min(self._entered, key=self._entered.__getitem__)
            remaining = self._entered[oldest] + self._patience - self._clock()
            try:
                await asyncio.wait_for(self._left.wait(), max(remaining, 0))
            except TimeoutError:
                self.leave(oldest)
        self._entered[frame] = self._clock()

    def leave(self, frame: str) -> None:
        """Count the frame as finished; nothing happens when it is not in the window."""
        if self._entered.pop(frame, None) is not None:
            self._left.set()


class Pace:
    """Spreads events evenly at a rate; time lost waiting for something else is not made up for."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``rate``: events per second."""
        self._interval = 1 / rate
        self._clock = clock
        self._next = clock()

    def delay(self) -> float:
        """Return how many seconds to wait before the event that comes now."""
        now = self._clock()
        start = max(self._next, now)
        self._next = start + self._interval
        return start - now


_PATIENCE_S = 20.0
_SILENCE_S = 60.0
_LOOK_EVERY_S = 0.05
_READ_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """What to publish and how fast.

    Attributes:
        rate: frames per second, at most.
        window: most frames that are undecided, or whose answer is not in the gallery yet.
    """

    total: int
    rate: float
    window: int


class Run:
    """One run over a list of frames; ``ledger`` and ``gallery`` tell how far it is."""

    def __init__(self, frames: Iterable[Outgoing], plan: Plan) -> None:
        """Begin to load the frames; they are published by :meth:`play`."""
        self.ledger = Ledger(plan.total)
        self.gallery = Gallery()
        self.window = Window(plan.window, _PATIENCE_S)
        self._plan = plan
        self._frames = Ahead(((frame, frame.load()) for frame in frames), _READ_AHEAD)
        self._labels: dict[str, str] = {}

    async def play(self, settings: Settings, on_ended: Callable[[Ended], None]) -> None:
        """Publish all frames and follow each to its end; whoever stays silent is lost."""
        stop = asyncio.Event()
        async with (
            Follower(settings) as follower,
            producer(settings, FRAMES) as sender,
            asyncio.TaskGroup() as tasks,
        ):
            running = [
                tasks.create_task(self._follow(follower, on_ended)),
                tasks.create_task(self._learn(settings)),
            ]
            answering = tasks.create_task(answer_by_labels(settings, self._labels, stop))
            await self._publish(settings.topic(FRAMES), sender)
            await self._settle()
            stop.set()
            await answering
            for task in running:
                task.cancel()

    def close(self) -> None:
        """Let go of the thread that loads the frames."""
        self._frames.close()

    async def _publish(self, topic: str, sender: Producer) -> None:
        pace = Pace(self._plan.rate)
        async for frame, image in self._frames:
            await self.window.enter(frame.name)
            await asyncio.sleep(pace.delay())
            if frame.label is not None:
                self._labels[frame.name] = frame.label
            self.ledger.published(frame, time.time())
            await sender.send(frame_record(topic, frame, image))

    async def _follow(self, follower: Follower, on_ended: Callable[[Ended], None]) -> None:
        async for outcome in follower.outcomes():
            ended = self.ledger.ended(outcome)
            if ended is None:
                continue
            if ended.verdict is not FrameVerdict.REVIEW or ended.frame.label is None:
                self.window.leave(ended.frame.name)
            on_ended(ended)

    async def _learn(self, settings: Settings) -> None:
        async with reader(settings, GALLERY, from_beginning=True, poll_ms=10) as topic:
            while True:
                for record in await topic.batch(wait_s=1):
                    entry_id = self.gallery.take(record)
                    if entry_id is not None:
                        self.window.leave(entry_id)

    async def _settle(self) -> None:
        """Wait for what is still on its way, as long as anything is heard."""
        while not self.ledger.all_ended or len(self.window):
            silence = time.monotonic() - self.ledger.tally.last_change
            if silence > (_PATIENCE_S if self.ledger.all_ended else _SILENCE_S):
                return
            await asyncio.sleep(_LOOK_EVERY_S)
