"""``dead-letters``: the original record, with headers that say what went wrong."""

from schemas.errors import BadInput
from schemas.records import Record

PREFIX = "dead_"
LONGEST_ERROR = 2000


def dead_letter(topic: str, origin: Record, error: BadInput, stage: str, attempts: int) -> Record:
    """Return the record for ``dead-letters``: the original bytes and headers, and why.

    It always carries a ``ce_id``, so every published frame can be followed to its end. The error is
    cut to ``LONGEST_ERROR`` characters, so that whatever ``frames`` took fits.
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
        "error": str(error)[:LONGEST_ERROR],
        "attempts": str(attempts),
    }
    told = tuple((PREFIX + name, text.encode(errors="replace")) for name, text in why.items())
    return Record(topic, origin.key, origin.value, (*kept, *told))
