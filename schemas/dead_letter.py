"""``dead-letters``: the original record, with headers that say what went wrong."""

from schemas.errors import BadInput
from schemas.records import Record

PREFIX = "dead_"


def dead_letter(topic: str, origin: Record, error: BadInput, stage: str, attempts: int) -> Record:
    """Return the record for ``dead-letters``: the original bytes and headers, and why.

    It always carries a ``ce_id``, so every published frame can be followed to its end.
    """
    kept = tuple((name, value) for name, value in origin.headers if not name.startswith(PREFIX))
    event_id = origin.header("ce_id")
    if not event_id:
        kept = (*kept, ("ce_id", origin.position.encode()))
    why = {
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "stage": stage,
        "reason": error.reason,
        "error": str(error),
        "attempts": str(attempts),
    }
    headers = (*kept, *((PREFIX + name, text.encode()) for name, text in why.items()))
    return Record(topic, origin.key, origin.value, headers)
