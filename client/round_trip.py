"""Publishes frames and follows each to its outcome."""

import asyncio
import time
from collections.abc import Callable, Iterable

from client.follow import Follower, Outcome
from client.outgoing import Outgoing
from client.publish import publish
from client.summary import Tally
from schemas.settings import Settings

_LOOK_EVERY_S = 0.1


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
        settings: names the broker and the topics.
        frames: what to publish.
        rate: frames per second; ``None``: as fast as the broker takes them.
        patience_s: once all are published, seconds without a single outcome after which the frames
            that still have none count as lost.
        on_sent: hears of each frame that is handed to the broker.
        on_outcome: hears of the first outcome of each frame.

    Raises:
        DependencyDown: the broker does not answer.
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
