"""Where the demo's frames come from: the rendered world, or a manifest of real images."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from client.outgoing import Outgoing
from lab.images.manifest import from_manifest, read_manifest
from lab.scenery.world import render_year
from schemas.errors import SetupError

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
