"""``dead-letters``: the original record, with headers that say what went wrong."""

from dataclasses import replace

from schemas.errors import BadInput, Unreadable
from schemas.records import Record

PREFIX = "dead_"
LONGEST_ERROR = 2000

_KEY = PREFIX + "key"
EVENT = PREFIX + "event"
_NULL_VALUE = PREFIX + "null_value"


def dead_letter(
    topic: str,
    origin: Record,
    error: BadInput,
    stage: str,
    attempts: int,
    *,
    event: str | None = None,
) -> Record:
    """Return the record for ``dead-letters``: the original bytes and headers, and why.

    Its key is the position of the original, so that a repeat replaces it. Its value is never null,
    which would mean deletion: ``dead_null_value`` marks an original that had none. The key of the
    original, where it had one, is in ``dead_key``. It always carries a ``ce_id``, so every
    published frame can be followed to its end. The error is cut to ``LONGEST_ERROR`` characters,
    so that whatever ``frames`` took fits. Of records that nobody can unpack there is one letter for
    all: ``dead_first_offset`` to ``dead_offset``.

    Args:
        topic: where the letter goes, with the prefix of the deployment.
        origin: the record as it was read.
        error: why it cannot be used.
        stage: that could not use it.
        attempts: how often it was tried.
        event: the event's name, where it could be read; it becomes ``dead_event``.
    """
    kept = tuple((name, value) for name, value in origin.headers if not name.startswith(PREFIX))
    if not origin.header("ce_id"):
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
    if isinstance(error, Unreadable):
        why["first_offset"] = str(error.first)
    told = tuple((PREFIX + name, text.encode(errors="replace")) for name, text in why.items())
    key = () if origin.key is None else ((_KEY, origin.key),)
    name = () if event is None else ((EVENT, event.encode(errors="replace")),)
    null = ((_NULL_VALUE, b"true"),) if origin.value is None else ()
    value = b"" if origin.value is None else origin.value
    return Record(topic, origin.position.encode(), value, (*kept, *key, *name, *null, *told))


def original(letter: Record) -> Record:
    """Return the record to put on its topic again, as it was; its ``ce_id`` is the letter's.

    A letter whose value was cut (``dead_truncated``) has no more than what was kept of it.
    """
    marks = {name: value for name, value in letter.headers if name.startswith(PREFIX)}
    return replace(
        letter,
        topic=marks[PREFIX + "topic"].decode(),
        key=marks.get(_KEY),
        value=None if _NULL_VALUE in marks else letter.value,
        headers=tuple(header for header in letter.headers if not header[0].startswith(PREFIX)),
    )
