"""Records that nobody can use: each must end as a dead letter, and harm nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from schemas.records import Headers, Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, GALLERY, GALLERY_COMMANDS, REVIEW_DECISIONS

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
