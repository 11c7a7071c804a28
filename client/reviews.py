"""Reads ``human-review``: what people have been asked, and what is still open."""

from client.kafka import reader
from client.names import full_name, means
from schemas.errors import SetupError
from schemas.recognition_event import ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import HUMAN_REVIEW, REVIEW_DECISIONS

_NEVER_MS = -2  # before any record, and before the -1 of a record without a timestamp


async def open_items(settings: Settings) -> list[ReviewItem]:
    """Return the newest item of each event that nobody has answered since, the oldest first.

    Raises:
        BadInput: an item cannot be read by this version.
        DependencyDown: the broker does not answer.
        SetupError: the topics do not exist.
    """
    asked: dict[bytes | None, Record] = {}
    answered_ms: dict[bytes | None, int] = {}
    decisions = settings.topic(REVIEW_DECISIONS)
    async with reader(settings, HUMAN_REVIEW, REVIEW_DECISIONS, from_beginning=True) as log:
        async for record in log.to_end():
            if record.topic == decisions:
                answered_ms[record.key] = record.timestamp_ms
            else:
                asked[record.key] = record
    waiting = (r for k, r in asked.items() if r.timestamp_ms > answered_ms.get(k, _NEVER_MS))
    return [
        ReviewItem.read(record)
        for record in sorted(waiting, key=lambda r: (r.timestamp_ms, r.key or b""))
        if record.value is not None
    ]


async def find_item(settings: Settings, event: str) -> ReviewItem:
    """Return the newest item of one event, answered or not; see :func:`client.names.full_name`.

    Raises:
        BadInput: the item cannot be read by this version.
        DependencyDown: the broker does not answer.
        SetupError: nobody was asked about this event, or ``event`` stands for several.
    """
    found: dict[str, Record] = {}
    async with reader(settings, HUMAN_REVIEW, from_beginning=True) as log:
        async for record in log.to_end():
            name = (record.key or b"").decode(errors="replace")
            if means(event, name):
                found[name] = record
    asked = [name for name, record in found.items() if record.value is not None]
    if not asked:
        raise SetupError(f"no review item {event!r}: `perennial review list` shows the open ones")
    return ReviewItem.read(found[full_name(event, asked, "review item")])
