"""Batches of events for an agent, straight from the queue of its channel.

Faust's own ``noack_take`` asks every few milliseconds whether something came, which takes a tenth
of a core while nothing does, and it leads each event through the machinery of a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any


async def batches(
    queue: "asyncio.Queue[Any]", most: int, within_s: float, counts: Callable[[Any], bool]
) -> AsyncIterator[list[Any]]:
    """Yield what came, in order, until Faust stops; the first waits ``within_s`` for others.

    Args:
        queue: of the channel.
        most: events of one batch.
        within_s: longest wait, in seconds.
        counts: tells of an event whether it is still ours to handle; what is not is acknowledged
            to Faust, and read again by whoever owns its partition now.
    """
    while True:
        try:
            events = await _batch(queue, most, within_s)
        except StopAsyncIteration:  # Faust's word for the end, thrown into its queue
            return
        ours = []
        for event in events:
            if counts(event):
                ours.append(event)
            else:
                event.ack()
        if ours:
            yield ours


async def _batch(queue: "asyncio.Queue[Any]", most: int, within_s: float) -> list[Any]:
    """Return 1 to ``most`` events."""
    events = [await queue.get()]
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while len(events) < most:
                events.append(queue.get_nowait() if queue.qsize() else await queue.get())
    return events
