"""A burst of frames: the same photographs again and again, and how fast they come out."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import cycle, islice

from client.names import Outgoing


def copies(frames: Iterable[Outgoing], count: int, name: str) -> list[Outgoing]:
    """Return ``count`` frames with ids of their own, whose images are loaded by now."""
    images = [(frame, frame.load()) for frame in frames]
    return [
        replace(frame, given_id=f"{name}-{i:06}", load=partial(bytes, image))
        for i, (frame, image) in enumerate(islice(cycle(images), count))
    ]


def steady_rate(times_s: Iterable[float]) -> float:
    """Return how many come in a second; the first ones, which meet empty queues, do not count."""
    ended = sorted(times_s)
    steady = ended[len(ended) // 20 :]
    return (len(steady) - 1) / max(1e-3, steady[-1] - steady[0])
