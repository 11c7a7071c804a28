"""Puts frames on the ``frames`` topic, and follows each to its outcome where that is asked for."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo

from client.follow import Follower, Outcome, Tally
from client.names import Outgoing
from client.producer import producer
from schemas.background import clock_of, declaration_of
from schemas.codec import frame_headers
from schemas.errors import SetupError
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import FRAMES

_IN_FLIGHT = 64
_LOOK_EVERY_S = 0.1


async def publish(
    settings: Settings,
    frames: Iterable[Outgoing],
    *,
    rate: float | None = None,
    progress: Callable[[Outgoing], None] | None = None,
) -> int:
    """Publish ``frames`` and return their number, once all are acknowledged.

    Args:
        frames: taken one by one, so an endless source is fine.
        rate: frames per second, evenly spaced; ``None``: as fast as the broker takes them.
        progress: hears of each frame at the moment it is handed to the broker.

    Raises:
        DependencyDown: the broker does not answer, or did not acknowledge a frame.
        SetupError: a file cannot be read.
    """
    topic, clock = settings.topic(FRAMES), clock_of(declaration_of(settings))
    waiting: deque[asyncio.Task[str]] = deque()
    sent = 0
    async with producer(settings, FRAMES) as broker:
        started = time.monotonic()
        try:
            for frame in frames:
                record = await asyncio.to_thread(_loaded, topic, frame, clock)
                if rate is not None:
                    await asyncio.sleep(started + sent / rate - time.monotonic())
                if len(waiting) >= _IN_FLIGHT:
                    await waiting.popleft()
                if progress is not None:
                    progress(frame)
                waiting.append(asyncio.create_task(broker.send(record)))
                sent += 1
            while waiting:
                await waiting.popleft()
        finally:
            await _drop(waiting)
    return sent


def frame_record(topic: str, frame: Outgoing, image: bytes, clock: tzinfo = UTC) -> Record:
    """Return a frame, whose bytes are ``image``, as a record of ``topic``.

    ``clock`` is the time zone of cameras whose photographs name none.
    """
    captured_at = frame.taken(image, clock)
    headers = frame_headers(
        frame.id, frame.source, captured_at, frame.background, frame.content_type
    )
    return Record(topic, frame.source.encode(), image, headers)


def _loaded(topic: str, frame: Outgoing, clock: tzinfo) -> Record:
    try:
        return frame_record(topic, frame, frame.load(), clock)
    except OSError as error:
        raise SetupError(f"frame {frame.given_id}: {error}") from error


async def _drop(waiting: Iterable[asyncio.Task[str]]) -> None:
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def publish_and_wait(
    settings: Settings,
    frames: Iterable[Outgoing],
    *,
    rate: float | None = None,
    patience_s: float = 60,
    on_sent: Callable[[Outgoing], None] | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Tally:
    """Publish ``frames``, and count until each has its first outcome.

    Args:
        rate: frames per second; ``None``: as fast as the broker takes them.
        patience_s: once all are published, seconds without a single outcome after which the frames
            that still have none count as lost.

    Raises:
        SetupError: a topic does not exist, or a file cannot be read.
    """
    tally = Tally()

    def sent(frame: Outgoing) -> None:
        tally.published(frame.name)
        if on_sent is not None:
            on_sent(frame)

    async with Follower(settings) as follower:
        sending = asyncio.create_task(publish(settings, frames, rate=rate, progress=sent))
        try:
            while _worth_waiting(sending, tally, patience_s):
                for outcome in await follower.batch(_LOOK_EVERY_S):
                    if tally.outcome(outcome) and on_outcome is not None:
                        on_outcome(outcome)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    return tally


def _worth_waiting(sending: asyncio.Task[int], tally: Tally, patience_s: float) -> bool:
    if not sending.done():
        return True
    sending.result()  # raises what publishing raised
    return tally.pending > 0 and time.monotonic() - tally.last_change < patience_s
