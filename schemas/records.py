"""A Kafka record, free of any client library: what workers, streams and the CLI hand each other."""

from dataclasses import dataclass
from typing import Any, Self

from schemas.errors import BadInput

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read from, or to be written to, a topic.

    ``partition``, ``offset`` and ``timestamp_ms`` are -1 until the broker has set them. ``problem``
    says why what was read can only be set aside.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int = -1
    offset: int = -1
    timestamp_ms: int = -1
    problem: BadInput | None = None

    @classmethod
    def of(cls, message: Any) -> Self:
        """Return a message of aiokafka or Faust as a record; a null header becomes an empty one."""
        if isinstance(message, cls):
            return message
        headers = message.headers.items() if isinstance(message.headers, dict) else message.headers
        return cls(
            topic=message.topic,
            key=message.key,
            value=message.value,
            headers=tuple((name, value or b"") for name, value in headers or ()),
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=-1 if message.timestamp is None else int(message.timestamp),
            problem=getattr(message, "problem", None),
        )

    @property
    def position(self) -> str:
        """``topic-partition-offset``: names the record for ever, even where it has no id."""
        return f"{self.topic}-{self.partition}-{self.offset}"

    def header(self, name: str) -> str | None:
        """Return the last header ``name`` as text, or ``None``; broken UTF-8 becomes U+FFFD."""
        value = self.header_bytes(name)
        return None if value is None else value.decode("utf-8", errors="replace")

    def header_bytes(self, name: str) -> bytes | None:
        """Return the last header ``name`` as it was sent, or ``None``."""
        for key, value in reversed(self.headers):
            if key == name and value is not None:
                return value
        return None
