"""Answers the reviews with labels that are known: the oracle of demos and experiments."""

import asyncio
from collections.abc import Callable, Mapping

from client.kafka import producer, reader
from schemas.event import frame_of
from schemas.recognition_event import ReviewItem
from schemas.review import ReviewDecision
from schemas.settings import Settings
from schemas.topics import HUMAN_REVIEW, REVIEW_DECISIONS

_POLL_MS = 20
_LOOK_EVERY_S = 0.2


async def answer(
    settings: Settings,
    labels: Mapping[str, str],
    stop: asyncio.Event,
    *,
    from_beginning: bool = True,
    actor: str = "oracle",
    on_answer: Callable[[ReviewDecision], None] | None = None,
) -> None:
    """Answer every item of ``human-review`` whose frame has a label, until ``stop`` is set.

    Args:
        settings: names the broker and the topics.
        labels: identity by a frame's event name; frames that are not in it are left to people.
        stop: ends it.
        from_beginning: answer what lies there already, too; answering twice changes nothing.
        actor: who signs the decisions.
        on_answer: hears of each decision once it is acknowledged.

    Raises:
        BadInput: an item cannot be read by this version.
        DependencyDown: the broker does not answer.
    """
    topic = settings.topic(REVIEW_DECISIONS)
    async with (
        producer(settings, REVIEW_DECISIONS) as broker,
        reader(settings, HUMAN_REVIEW, from_beginning=from_beginning, poll_ms=_POLL_MS) as items,
    ):
        while not stop.is_set():
            for record in await items.batch(_LOOK_EVERY_S):
                label = labels.get(frame_of(record.header("ce_id") or record.position))
                if record.value is None or label is None:
                    continue
                item = ReviewItem.read(record)
                decision = ReviewDecision(item=item, identity=label, actor=actor)
                await broker.send(decision.record(topic))
                if on_answer is not None:
                    on_answer(decision)
