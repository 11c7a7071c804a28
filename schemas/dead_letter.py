"""``dead-letters``: the original record, with headers that say what went wrong."""

from dataclasses import replace

from schemas.errors import BadInput, Unreadable
from schemas.limits import MAX_HEADERS
from schemas.records import Headers, Record
from schemas.topics import DEAD_LETTERS

PREFIX = "dead_"
MAX_ERROR = 2000

CUT_VALUE = 2**20
_MAX_HEADER_BYTES = 4096
_MAX_HEADERS = 64
_MAX_KEPT = MAX_HEADERS - 32  # with those of the letter itself it can be read like any record
_ENVELOPE = 4096  # what a record needs besides its key, value and headers, generously

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
    published frame can be followed to its end. Of very many headers the last ones are kept, which
    count where a name comes twice. The error is cut to ``MAX_ERROR`` characters,
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
    kept = kept[-_MAX_KEPT:]
    if not origin.header("ce_id"):
        kept = (*kept, ("ce_id", origin.position.encode()))
    why = {
        "topic": origin.topic,
        "partition": str(origin.partition),
        "offset": str(origin.offset),
        "stage": stage,
        "reason": error.reason,
        "error": str(error)[:MAX_ERROR],
        "attempts": str(attempts),
    }
    if isinstance(error, Unreadable):
        why["first_offset"] = str(error.first)
    headers = tuple((PREFIX + name, text.encode(errors="replace")) for name, text in why.items())
    key = () if origin.key is None else ((_KEY, origin.key),)
    name = () if event is None else ((EVENT, event.encode(errors="replace")),)
    null = ((_NULL_VALUE, b"true"),) if origin.value is None else ()
    value = b"" if origin.value is None else origin.value
    return Record(topic, origin.position.encode(), value, (*kept, *key, *name, *null, *headers))


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


def at_lengths(letter: Record) -> tuple[Record, ...]:
    """Return the letter at the lengths at which it is tried, the longest first: what fits counts.

    Complete where a broker may take that; with the first part of its value; without any of it.
    """
    whole = (letter,) if size(letter) <= DEAD_LETTERS.max_bytes else ()
    return (*whole, cut(letter, CUT_VALUE), cut(letter, 0))


def size(record: Record) -> int:
    """Return about how many bytes the record takes on the wire, rather more than less."""
    headers = sum(len(name.encode()) + len(value) + 16 for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _ENVELOPE


def cut(record: Record, keep: int) -> Record:
    """Return the letter with the first ``keep`` bytes of its value, and headers of modest size.

    ``dead_truncated`` says how many bytes the value had.
    """
    value = record.value or b""
    short: Headers = tuple(
        (name[:_MAX_HEADER_BYTES], text[:_MAX_HEADER_BYTES]) for name, text in record.headers
    )
    why = tuple(header for header in short if header[0].startswith(PREFIX))
    theirs = tuple(header for header in short if not header[0].startswith(PREFIX))
    identity = tuple(header for header in theirs if header[0] == "ce_id")[-1:]
    others = tuple(header for header in theirs if header[0] != "ce_id")[:_MAX_HEADERS]
    truncated = (PREFIX + "truncated", str(len(value)).encode())
    return replace(record, value=value[:keep], headers=(*others, *identity, *why, truncated))
