"""Dead letters that fit: complete where the broker takes that, else cut."""

from dataclasses import replace

from schemas.dead_letter import PREFIX
from schemas.records import Headers, Record

CUT_VALUE = 2**20
_LONGEST_HEADER = 4096
_MOST_HEADERS = 64
_ENVELOPE = 4096  # what a record needs besides its key, value and headers, generously


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
        (name[:_LONGEST_HEADER], text[:_LONGEST_HEADER]) for name, text in record.headers
    )
    why = tuple(header for header in short if header[0].startswith(PREFIX))
    theirs = tuple(header for header in short if not header[0].startswith(PREFIX))
    identity = tuple(header for header in theirs if header[0] == "ce_id")[-1:]
    others = tuple(header for header in theirs if header[0] != "ce_id")[:_MOST_HEADERS]
    truncated = (PREFIX + "truncated", str(len(value)).encode())
    return replace(record, value=value[:keep], headers=(*others, *identity, *why, truncated))
