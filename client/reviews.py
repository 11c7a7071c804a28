"""What people are asked on ``human-review``, and their answers."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from client.names import full_name, means
from client.producer import producer
from client.reader import reader, records_of
from schemas.errors import BadInput, SetupError
from schemas.event import frame_of
from schemas.recognition_event import ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import HUMAN_REVIEW, REVIEW_DECISIONS

_NEVER_MS = -2  # before any record, and before the -1 of a record without a timestamp
_POLL_MS = 20
_LOOK_EVERY_S = 0.2
_log = logging.getLogger(__name__)


async def open_items(settings: Settings) -> list[ReviewItem]:
    """Return the newest item of each event that nobody has answered since, the oldest first.

    What is no item is passed over with a warning: whoever may publish must not hide the others.
    """
    asked: dict[bytes | None, Record] = {}
    answered_ms: dict[bytes | None, int] = {}
    decisions = settings.topic(REVIEW_DECISIONS)
    async for record in records_of(settings, HUMAN_REVIEW, REVIEW_DECISIONS):
        if record.topic == decisions:
            answered_ms[record.key] = record.timestamp_ms
        else:
            asked[record.key] = record
    waiting = (r for k, r in asked.items() if r.timestamp_ms > answered_ms.get(k, _NEVER_MS))
    in_order = sorted(waiting, key=lambda r: (r.timestamp_ms, r.key or b""))
    items = (_item(record) for record in in_order if record.value is not None)
    return [item for item in items if item is not None]


async def find_item(settings: Settings, event: str) -> ReviewItem:
    """Return the newest item of one event, answered or not; see :func:`client.names.full_name`.

    Raises:
        BadInput: the item cannot be read by this version.
        SetupError: nobody was asked about this event, or ``event`` stands for several.
    """
    items: dict[str, Record] = {}
    async for record in records_of(settings, HUMAN_REVIEW):
        name = (record.key or b"").decode(errors="replace")
        if means(event, name):
            items[name] = record
    asked = [name for name, record in items.items() if record.value is not None]
    if not asked:
        raise SetupError(f"no review item {event!r}: `perennial review list` shows the open ones")
    return ReviewItem.read(items[full_name(event, asked, "review item")])


async def answer(
    settings: Settings, event: str, identity: str | None, *, actor: str, comment: str = ""
) -> str:
    """Say what one event shows (None: nobody can tell), and return its whole name.

    Raises:
        BadInput: the item cannot be read by this version.
        SetupError: nobody was asked about this event, or ``event`` stands for several.
        ValidationError: an answer like this breaks a rule of the decision.
    """
    item = await find_item(settings, event)
    decision = ReviewDecision(item=item, identity=identity, actor=actor, comment=comment)
    async with producer(settings, REVIEW_DECISIONS) as broker:
        await broker.send(decision.record(settings.topic(REVIEW_DECISIONS)))
    return item.event_id


async def answer_by_labels(
    settings: Settings,
    labels: Mapping[str, str],
    stop: asyncio.Event | None = None,
    *,
    from_beginning: bool = True,
    actor: str = "oracle",
    idle_s: float | None = None,
    on_answer: Callable[[ReviewDecision], None] | None = None,
) -> None:
    """Answer every item whose frame has a label, as demos and experiments need, until ``stop``.

    Args:
        labels: identity by a frame's event name; frames that are not in it are left to people.
        stop: ends it; without one, cancelling does.
        from_beginning: answer what lies there already, too; answering twice changes nothing.
        idle_s: ends it, too, after so many seconds without an item to answer.
        on_answer: hears of each decision once it is acknowledged.
    """
    topic = settings.topic(REVIEW_DECISIONS)
    async with (
        producer(settings, REVIEW_DECISIONS) as broker,
        reader(settings, HUMAN_REVIEW, from_beginning=from_beginning, poll_ms=_POLL_MS) as items,
    ):
        answered_at = time.monotonic()
        while stop is None or not stop.is_set():
            for record in await items.batch(_LOOK_EVERY_S):
                label = labels.get(frame_of(record.header("ce_id") or record.position))
                if record.value is None or label is None:
                    continue
                item = _item(record)
                if item is None:
                    continue
                decision = ReviewDecision(item=item, identity=label, actor=actor)
                await broker.send(decision.record(topic))
                answered_at = time.monotonic()
                if on_answer is not None:
                    on_answer(decision)
            if idle_s is not None and time.monotonic() - answered_at > idle_s:
                return


def _item(record: Record) -> ReviewItem | None:
    try:
        return ReviewItem.read(record)
    except BadInput as error:
        _log.warning("%s passed over: %s", record.position, error)
        return None
