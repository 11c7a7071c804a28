"""Instants as they come in: RFC 3339 text, or the broker's milliseconds since the epoch."""

from datetime import UTC, datetime

from pydantic import TypeAdapter

# A day inside the calendar, so that an instant can be told in every time zone.
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)

_instant = TypeAdapter(datetime)


def read_instant(text: str) -> datetime:
    """Return the instant that RFC 3339 ``text`` names; without a zone it is UTC.

    Raises:
        ValueError: when it names none, or one at the edge of the calendar.
    """
    instant = _instant.validate_strings(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("the instant lies at the edge of the calendar")
    return instant


def instant_at(timestamp_ms: int) -> datetime:
    """Return the instant of a record's timestamp; the epoch where there is none (negative).

    Raises:
        ValueError: beyond the calendar, as microseconds taken for milliseconds are.
    """
    seconds = max(timestamp_ms, 0) / 1000
    if seconds > _LATEST.timestamp():
        raise ValueError("beyond the year 9999; timestamps count milliseconds")
    return datetime.fromtimestamp(seconds, UTC)
