"""What is published: good frames, repeats of old ones, and bad records among them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np

from infra.torture.model import MOTIFS, PICTURES, picture
from schemas.codec import frame_headers
from schemas.event import event_name
from schemas.records import Headers, Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, FRAMES, GALLERY, GALLERY_COMMANDS, REVIEW_DECISIONS

_NAN = np.full(1280, np.nan, "<f4").tobytes()


def _with(record: Record, name: str, value: bytes) -> Record:
    kept = tuple(header for header in record.headers if header[0] != name)
    return replace(record, headers=(*kept, (name, value)))


def _broken_json(record: Record) -> Record:
    return _with(replace(record, value=b'{"image_uri": '), "content-type", b"application/json")


FLAWS: Mapping[str, Callable[[Record], Record]] = MappingProxyType(
    {
        "no picture": lambda frame: replace(frame, value=b"\xff\xd8\xff\xe0 and then nothing"),
        "half a picture": lambda frame: replace(frame, value=(frame.value or b"")[:300]),
        "broken JSON": _broken_json,
        "NaN": lambda frame: _with(frame, "background", b'{"hour": NaN}'),
        "null value": lambda frame: replace(frame, value=None),
        "null key and value": lambda frame: replace(frame, key=None, value=None),
        "bad time": lambda frame: _with(frame, "ce_time", b"yesterday"),
        "id that is no UTF-8": lambda frame: _with(frame, "ce_id", b"caf\xe9.jpg"),
        "bad version": lambda frame: _with(frame, "ce_specversion", b"7"),
    }
)
"""What makes a bad frame of a good one."""

_HEADERS: Headers = (("ce_id", b"stray"), ("ce_source", b"nobody"))

STRAYS: Mapping[str, Callable[[Settings], Record]] = MappingProxyType(
    {
        "embedding of nothing": lambda s: Record(s.topic(EMBEDDINGS), None, None),
        "embedding of NaN": lambda s: Record(s.topic(EMBEDDINGS), b"nobody", _NAN, _HEADERS),
        "decision of nothing": lambda s: Record(s.topic(REVIEW_DECISIONS), b"x", b"{}"),
        "entry of nothing": lambda s: Record(s.topic(GALLERY), b"entry:nobody/x", b"?"),
        "command of nothing": lambda s: Record(s.topic(GALLERY_COMMANDS), None, b"what?"),
    }
)
"""Bad records on the topics behind `frames`."""


_CAMERAS = 24
_REMEMBERED = 500
_BAD, _STRAY, _REPEAT, _PAIR, _NAMELESS = 0.06, 0.02, 0.06, 0.04, 0.02


@dataclass(frozen=True, slots=True)
class Outbound:
    """One record to publish.

    Attributes:
        name: of the frame in its outcomes; None: it is named by its position on the topic.
        shows: the motif and the number of its picture; None for a record without a picture.
        flaw: why it must end as a dead letter; None for a good frame.
    """

    record: Record
    source: str
    name: str | None
    shows: tuple[int, int] | None
    flaw: str | None = None


class Traffic:
    """An endless mixture; the same for the same seed."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._rng = np.random.default_rng([seed, 1])
        self._number = 0
        self._sent: list[Outbound] = []

    def next(self) -> tuple[Outbound, ...]:
        """Return the next record; or two at once: one id, given by two cameras to two frames."""
        dice = self._rng.random()
        for share, kind in (
            (_BAD, self._bad),
            (_STRAY, self._stray),
            (_REPEAT, self._repeat),
            (_PAIR, self._pair),
            (_NAMELESS, self._nameless),
        ):
            if dice < share:
                return kind()
            dice -= share
        return (self._remember(self._frame(self._camera(), self._new_id())),)

    def _frame(self, source: str, own_id: str | None) -> Outbound:
        shows = int(self._rng.integers(MOTIFS)), int(self._rng.integers(PICTURES))
        headers = frame_headers(own_id or "", source, datetime.now(UTC), {}, "image/jpeg")
        if own_id is None:
            headers = tuple(header for header in headers if header[0] != "ce_id")
        topic = self._settings.topic(FRAMES)
        record = Record(topic, source.encode(), picture(*shows), headers)
        return Outbound(record, source, own_id and event_name(source, own_id), shows)

    def _bad(self) -> tuple[Outbound, ...]:
        flaw = sorted(FLAWS)[int(self._rng.integers(len(FLAWS)))]
        good = self._frame(self._camera(), self._new_id())
        return (replace(good, record=FLAWS[flaw](good.record), shows=None, flaw=flaw),)

    def _stray(self) -> tuple[Outbound, ...]:
        flaw = sorted(STRAYS)[int(self._rng.integers(len(STRAYS)))]
        return (Outbound(STRAYS[flaw](self._settings), "", None, None, flaw),)

    def _repeat(self) -> tuple[Outbound, ...]:
        if not self._sent:
            return self._nameless()
        return (self._sent[int(self._rng.integers(len(self._sent)))],)

    def _pair(self) -> tuple[Outbound, ...]:
        own_id = self._new_id()
        return tuple(self._remember(self._frame(f"cam {c}", own_id)) for c in (0, 1))

    def _nameless(self) -> tuple[Outbound, ...]:
        return (self._frame(self._camera(), None),)

    def _remember(self, sent: Outbound) -> Outbound:
        self._sent = [*self._sent[-_REMEMBERED:], sent]
        return sent

    def _camera(self) -> str:
        return f"cam {int(self._rng.integers(_CAMERAS))}"

    def _new_id(self) -> str:
        self._number += 1
        return f"walk/{self._number:07}.jpg"
