"""A frame that is ready to be published."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from client.names import file_id
from schemas.event import event_name


@dataclass(frozen=True)
class Outgoing:
    """A frame that is ready to be published; ``load`` gives its bytes when its turn comes.

    Attributes:
        given_id: the id, or the path where ``is_file``.
        is_file: whether the content is a part of the id; the file is read when that is asked for.
    """

    given_id: str
    source: str
    captured_at: datetime | None
    background: dict[str, str | float]
    label: str | None
    content_type: str
    load: Callable[[], bytes]
    is_file: bool = False

    @cached_property
    def id(self) -> str:
        """The id under which it is published. Raises OSError where the file cannot be read."""
        return file_id(self.given_id, self.load()) if self.is_file else self.given_id

    @property
    def name(self) -> str:
        """The event name under which it is known from here on."""
        return event_name(self.source, self.id)
