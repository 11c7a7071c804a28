"""Frames that are ready to be published, and how the command line names them and is told names."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import PurePath
from urllib.parse import unquote

from client.taken import taken_at
from schemas.codec import MAX_ID
from schemas.errors import SetupError
from schemas.event import bare_id, event_name
from schemas.visible import visible

_DIGITS = 12
_MARK = re.compile(rf"~[0-9a-f]{{{_DIGITS}}}(?=#|$)")
_SHOWN = 10

MAX_PATH = MAX_ID - _DIGITS - 1
"""Characters of a path that becomes an id."""


def path_text(path: PurePath) -> str:
    """Return a path with ``/``; bytes that are not UTF-8 are spelled ``\\xe9``."""
    return os.fsencode(path.as_posix()).decode("utf-8", errors="backslashreplace")


def file_id(path: str, content: bytes) -> str:
    """Return the id of a photograph: its path within its folder, and a mark of its content.

    Cameras begin again at ``IMG_0001.jpg`` on every card: the path alone would make two
    photographs one. The same photograph has the same id from wherever it is published.
    """
    return f"{path}~{hashlib.sha256(content).hexdigest()[:_DIGITS]}"


def means(given: str, name: str) -> bool:
    """Tell whether ``given`` may stand for an event name.

    It may be the name itself or the bare id, each with or without the mark of a file's content,
    and the name also as one would write it, not percent-encoded: ``north/DCIM/0412.jpg``.
    """
    spellings = (name, unquote(name), bare_id(name))
    return given in spellings or given in (_MARK.sub("", spelling) for spelling in spellings)


def full_name(given: str, names: Iterable[str], what: str) -> str:
    """Return the one of ``names`` that ``given`` stands for; itself comes before a bare id.

    Raises:
        SetupError: none or several of them, which are listed. ``what`` says what was sought.
    """
    meant = sorted({name for name in names if means(given, name)})
    if given in meant:
        return given
    if not meant:
        raise SetupError(f"no {what} {given!r}")
    if len(meant) > 1:
        more = f" and {len(meant) - _SHOWN} more" if len(meant) > _SHOWN else ""
        listed = ", ".join(map(visible, meant[:_SHOWN]))
        raise SetupError(f"{given!r} is several: {listed}{more}; write one of these names")
    return meant[0]


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

    def taken(self, image: bytes, clock: tzinfo) -> datetime | None:
        """Return when it was taken: as is told, or as the photograph ``image`` says of itself.

        ``clock`` is the time zone of cameras whose photographs name none.
        """
        if self.captured_at is not None or not self.is_file:
            return self.captured_at
        return taken_at(image, clock)

    @property
    def name(self) -> str:
        """The event name under which it is known from here on."""
        return event_name(self.source, self.id)
