"""Every parser of what lies on a topic, with examples that it takes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aiokafka import TopicPartition

from benchmarks.hostile.inputs import good
from client.event_lines import as_json, line
from client.reading.raw_batches import unpack
from schemas.background import Declaration
from schemas.codec import STRUCTURED, frame_headers
from schemas.conditioning import Activation
from schemas.dead_letter import at_lengths, dead_letter
from schemas.embedding import read_embedding
from schemas.errors import BadInput
from schemas.event import Event, now
from schemas.gallery import ErasedMark, GalleryCommand, GalleryEntry, TermClaim, under_term
from schemas.gallery_fold import GalleryFold
from schemas.recognition_event import Identification, ReviewDecision, ReviewItem
from schemas.records import Headers, Record
from schemas.topics import EMBEDDINGS, FRAMES, GALLERY_COMMANDS, REVIEW_DECISIONS, TOPICS
from streams.index.base import GalleryState, ShardState
from streams.index.reading import read_state
from tests.gallery_entries import entry
from tests.raw_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, signed
from tests.unit.infra_events import samples
from workers.service.job import read_job
from workers.service.outbox import origin_of

Parse = Callable[[bytes], object]
_MARK = b"\x1d"
_PLACE = TopicPartition("frames", 2)
_DECLARED = Declaration.model_validate(
    {
        "variables": {
            "season": {"type": "nominal", "values": ["summer", "winter"]},
            "light": {"type": "binary"},
            "hour": {"type": "cyclic", "period": 24, "derived": "hour"},
            "temperature": {"type": "continuous", "minimum": -60, "maximum": 60},
        }
    }
)
_BOXES = [{"x": 1, "y": 2.5, "width": 30, "height": 40}]
_BACKGROUND = {"season": "winter", "temperature": -3.5, "light": True, "hour": 7}


@dataclass(frozen=True, slots=True)
class Parser:
    """What reads some bytes, and examples of them. It may raise BadInput, and nothing else."""

    seeds: Sequence[bytes]
    parse: Parse


def read_frame(headers: Headers, value: bytes | None, key: bytes | None = b"cam") -> None:
    """Read a frame as a worker does; where it is refused, make its dead letter, and show it."""
    record = Record("frames", key, value, headers, 2, 7, 1_700_000_000_000)
    line(FRAMES, record)
    for declared in (None, _DECLARED):
        job = read_job(record, declared)
        if job.problem is not None:
            assert job.problem.reason != "unreadable_frame", job.problem
            origin, event = origin_of(job)
            at_lengths(dead_letter("dead-letters", origin, job.problem, "parse", 1, event=event))
            raise job.problem


def _frame(value: bytes) -> None:
    read_frame((("content-type", STRUCTURED.encode()),), value)


def _headers(data: bytes) -> None:
    """Read what is split at a mark as names and values in turn."""
    parts = [part.decode(errors="surrogateescape") for part in data.split(_MARK)]
    names = [(a, b) for n, (a, b) in enumerate(pairwise(parts)) if n % 2 == 0]
    given = tuple(
        (name.encode(errors="replace").decode(), text.encode(errors="surrogateescape"))
        for name, text in names
    )
    read_frame(given, b"\xff\xd8image", data[:40])


def _joined(headers: Headers) -> bytes:
    return _MARK.join(part for name, value in headers for part in (name.encode(), value))


def _one_header(name: str) -> Parse:
    return lambda value: read_frame(((name, value),), b"\xff\xd8image")


def _event(kind: type[Event]) -> Parse:
    topics = [topic for topic in TOPICS.values() if topic.event is kind]

    def parse(value: bytes) -> None:
        record = Record("t", b"entry:x", value, (("term", b"1"),), 0, 7, 1_700_000_000_000)
        for topic in topics:
            line(topic, record)
            json.dumps(as_json(topic, record))
        kind.read(record).record("t")

    return parse


def _embedding(data: bytes) -> None:
    fixed = good(EMBEDDINGS, 1)
    parts = data.split(_MARK, 2)
    named = dict(zip(("background", "timings", "region"), parts, strict=False))
    kept = tuple(header for header in fixed.headers if header[0] not in named)
    record = replace(fixed, headers=(*kept, *named.items()))
    line(EMBEDDINGS, record)
    read_embedding(record).record("embeddings")


def _vector(data: bytes) -> None:
    read_embedding(replace(good(EMBEDDINGS, 1), value=data))


def _gallery(data: bytes) -> None:
    """Read what is split at a mark as keys and values in turn, as the log of a gallery."""
    fold = GalleryFold()
    parts = data.split(_MARK)
    for offset, (key, value) in enumerate(zip(parts[::2], parts[1::2], strict=False)):
        record = Record("gallery", key, value or None, (), 0, offset, 1_700_000_000_000)
        fold.take(under_term(record, 1))
    for key in fold.overruled:
        fold.truth(key, "gallery")


def _state(data: bytes) -> None:
    read_state(data)


def _batch(data: bytes) -> None:
    """Take a batch apart; where its sum tells of the change, as if it did not."""
    for given in (data, signed(data) if len(data) > 61 else data):
        unpack(_PLACE, given, None, 0, 100)


def _seeds(kind: type[Event]) -> list[bytes]:
    return [event.model_dump_json().encode() for event in samples() if type(event) is kind]


def _value(record: Record) -> bytes:
    return record.value or b""


def parsers() -> Mapping[str, Parser]:
    """Return them by name."""
    envelope = {
        "specversion": "1.0", "id": "f-1", "source": "cam", "time": "2025-05-01T10:00:00+02:00",
        "background": _BACKGROUND, "regions": _BOXES, "data_base64": "aW1hZ2U=",
    }  # fmt: skip
    claim = {**envelope, "data": {"image_uri": "file:///data/1.jpg"}, "data_base64": None}
    frames = [json.dumps(value).encode() for value in (envelope, claim)]
    headers = frame_headers("f-1", "cam", now(), _BACKGROUND, "image/jpeg")
    regions, background = json.dumps(_BOXES * 3).encode(), json.dumps(_BACKGROUND).encode()
    held = entry("x", "oak", [1, 0]).model_dump_json().encode()
    term = TermClaim(term=1, owner="host", claimed_at=now(), salt="s" * 16).model_dump_json()
    erased = ErasedMark(entry_hash="0" * 64, erased_at=now()).model_dump_json().encode()
    log = (
        b"term",
        term.encode(),
        b"entry:x",
        held,
        b"erased:" + b"0" * 64,
        erased,
        b"entry:x",
        b"",
    )
    box = json.dumps(_BOXES[0]).encode()
    shard = ShardState(entries=3, identities=2, threshold=0.3)
    state = GalleryState(epoch="e", position=4, models={"m@1": {"*": shard}}, dimensions={"m@1": 2})
    records = [Record("frames", b"k", b"v%d" % n, (("ce_id", b"%d" % n),)) for n in range(3)]
    batches = [batch(records, codec) for codec in (0, GZIP, SNAPPY, LZ4, ZSTD)]
    return {
        "frame": Parser(frames, _frame),
        "headers": Parser([_joined((*headers, ("regions", regions)))], _headers),
        "regions": Parser([regions], _one_header("regions")),
        "background": Parser([background], _one_header("background")),
        "embedding": Parser([_MARK.join((background, b'{"fetch": 1.5}', box))], _embedding),
        "vector": Parser([_value(good(EMBEDDINGS, 1))], _vector),
        "decision": Parser([_value(good(REVIEW_DECISIONS, 1))], _event(ReviewDecision)),
        "command": Parser(
            [_value(good(GALLERY_COMMANDS, 1)), *_seeds(GalleryCommand)], _event(GalleryCommand)
        ),
        "entry": Parser([held], _event(GalleryEntry)),
        "item": Parser(_seeds(ReviewItem), _event(ReviewItem)),
        "identification": Parser(_seeds(Identification), _event(Identification)),
        "activation": Parser(_seeds(Activation), _event(Activation)),
        "gallery": Parser([_MARK.join((*log, b""))], _gallery),
        "state": Parser([state.model_dump_json().encode()], _state),
        "batch": Parser(batches, _batch),
    }


def refuses(parser: Parser, data: bytes) -> bool:
    """Tell whether the input is refused as it should be."""
    try:
        parser.parse(data)
    except BadInput as error:
        return bool(error.reason and str(error))
    return False


def names() -> Sequence[str]:
    """Return the names of the parsers."""
    return tuple(parsers())
