"""Puts frames on the ``frames`` topic."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

from client.outgoing import Outgoing
from client.producer import producer
from schemas.codec import frame_headers
from schemas.errors import SetupError
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import FRAMES

_IN_FLIGHT = 64


async def publish(
    settings: Settings,
    frames: Iterable[Outgoing],
    *,
    rate: float | None = None,
    progress: Callable[[Outgoing], None] | None = None,
) -> int:
    """Publish ``frames`` and return their number, once all are acknowledged.

    Args:
        settings: names the broker and the topic.
        frames: taken one by one, so an endless source is fine.
        rate: frames per second, evenly spaced; ``None``: as fast as the broker takes them.
        progress: hears of each frame at the moment it is handed to the broker.

    Raises:
        DependencyDown: the broker does not answer, or did not acknowledge a frame.
        SetupError: a file cannot be read.
    """
    topic = settings.topic(FRAMES)
    waiting: deque[asyncio.Task[str]] = deque()
    sent = 0
    async with producer(settings, FRAMES) as broker:
        started = time.monotonic()
        try:
            for frame in frames:
                record = await asyncio.to_thread(_loaded, topic, frame)
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


def frame_record(topic: str, frame: Outgoing, image: bytes) -> Record:
    """Return a frame, whose bytes are ``image``, as a record of ``topic``."""
    headers = frame_headers(
        frame.id, frame.source, frame.captured_at, frame.background, frame.content_type
    )
    return Record(topic, frame.source.encode(), image, headers)


def _loaded(topic: str, frame: Outgoing) -> Record:
    try:
        return frame_record(topic, frame, frame.load())
    except OSError as error:
        raise SetupError(f"frame {frame.given_id}: {error}") from error


async def _drop(waiting: Iterable[asyncio.Task[str]]) -> None:
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
