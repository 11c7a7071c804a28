"""Dead letters name the frame, keep its bytes, and are cut only where they must be."""

from schemas.dead_letter import cut, dead_letter, size
from schemas.errors import BadInput
from schemas.records import Record
from workers.service.job import Job, read_job
from workers.service.outbox import origin_of

ERROR = BadInput("truncated_image", "cut short")


def letter(topic: str, job: Job, error: BadInput) -> Record:
    origin, event = origin_of(job)
    return dead_letter(topic, origin, error, job.stage, job.attempts, event=event)


def job(record: Record) -> Job:
    return read_job(record, None)


def test_it_keeps_the_record_and_says_why() -> None:
    origin = Record("frames", b"cam", b"bytes", (("ce_id", b"f-1"), ("x", b"y")), 2, 7, 0)
    made = job(origin)
    made.stage, made.attempts = "decode", 3
    dead = letter("dead-letters", made, ERROR)
    assert (dead.topic, dead.key, dead.value) == ("dead-letters", b"frames-2-7", b"bytes")
    assert dead.header("dead_key") == "cam"
    assert dead.header("ce_id") == "f-1"
    assert dead.header("dead_event") == "cam/f-1"
    assert dead.header("x") == "y"
    assert dead.header("dead_reason") == "truncated_image"
    assert dead.header("dead_stage") == "decode"
    assert dead.header("dead_attempts") == "3"
    assert dead.header("dead_offset") == "7"


def test_the_id_of_a_structured_frame_becomes_a_header() -> None:
    envelope = b'{"specversion": "1.0", "id": "f-9", "data": {"image_uri": "file:///a"}}'
    headers = (("content-type", b"application/cloudevents+json"),)
    dead = letter("d", job(Record("frames", None, envelope, headers, 0, 1, 0)), ERROR)
    assert dead.header("ce_id") == "f-9"
    assert dead.header("dead_event") == "unknown/f-9"


def test_without_an_id_the_position_names_it() -> None:
    dead = letter("d", job(Record("frames", None, b"", (), 0, 1, 0)), ERROR)
    assert dead.header("ce_id") == "frames-0-1"
    assert dead.header("dead_event") == "unknown/frames-0-1"


def test_an_unreadable_frame_is_named_all_the_same() -> None:
    headers = (("ce_id", b"f-1"), ("background", b"winter"))
    made = job(Record("frames", b"cam", b"bytes", headers, 2, 7, 0))
    assert made.problem is not None
    dead = letter("d", made, made.problem)
    assert (dead.header("dead_reason"), dead.header("dead_event")) == ("bad_background", "cam/f-1")


def test_a_long_error_is_shortened() -> None:
    record = Record("frames", None, b"x", (), 0, 1, 0)
    dead = letter("d", job(record), BadInput("bad_uri", "u" * 10**6))
    assert size(dead) < 10_000


def test_cut() -> None:
    many = tuple((f"h{i}", b"v") for i in range(1000))
    huge = (("ce_id", b"old"), ("background", b"b" * 10**6), *many, ("ce_id", b"f-1"))
    record = Record("frames", b"k" * 10**6, b"x" * 5_000_000, huge, 0, 1, 0)
    short = cut(letter("d", job(record), ERROR), 1000)
    assert size(short) < 100_000
    assert short.value == b"x" * 1000
    assert short.header("dead_truncated") == "5000000"
    assert short.header("dead_reason") == "truncated_image"
    assert short.header("ce_id") == "f-1"
    assert short.key == b"frames-0-1"
    assert short.header("dead_key") == "k" * 4096


def test_size_is_never_less_than_what_is_sent() -> None:
    record = Record("d", b"key", b"value", (("name", b"text"), ("ü", b"")))
    assert size(record) > len(b"key" + b"value" + b"name" + b"text" + "ü".encode())
    assert size(Record("d", None, None)) > 0
