"""Dead letters: the original, and why."""

import pytest

from schemas.dead_letter import dead_letter, original
from schemas.errors import BadInput
from schemas.records import Record
from schemas.topics import DEAD_LETTERS, FRAMES

FRAME = Record(
    "frames", b"cam-1", b"\xff\xd8broken", (("ce_id", b"x"), ("background", b"{}")), 2, 7, 99
)
ERROR = BadInput("bad_image", "no JPEG: ends after 8 bytes")


def letter(origin: Record = FRAME, error: BadInput = ERROR, attempts: int = 1) -> Record:
    return dead_letter("dead", origin, error, "decode", attempts)


def test_the_original_with_headers_that_say_where_and_why() -> None:
    dead = letter()
    assert (dead.topic, dead.key, dead.value) == ("dead", b"frames-2-7", b"\xff\xd8broken")
    assert dict(dead.headers) == {
        "ce_id": b"x",
        "background": b"{}",
        "dead_key": b"cam-1",
        "dead_topic": b"frames",
        "dead_partition": b"2",
        "dead_offset": b"7",
        "dead_stage": b"decode",
        "dead_reason": b"bad_image",
        "dead_error": b"no JPEG: ends after 8 bytes",
        "dead_attempts": b"1",
    }


def test_a_record_without_an_id_is_called_by_its_position() -> None:
    for headers in ((), (("ce_id", b""),)):
        dead = letter(Record("frames", None, None, headers, 2, 7))
        assert dead.header("ce_id") == "frames-2-7"
        assert dead.key == b"frames-2-7"
        assert dead.value == b"", "a null value would delete"


def test_it_names_the_event_where_that_could_be_read() -> None:
    assert letter().header("dead_event") is None
    dead = dead_letter("dead", FRAME, ERROR, "decode", 1, event="cam/x")
    assert dead.header("dead_event") == "cam/x"


@pytest.mark.parametrize("key", [None, b"", b"cam", b"\xff\xfe"])
@pytest.mark.parametrize("value", [None, b"", b"image"])
def test_the_original_comes_back_as_it_was(key: bytes | None, value: bytes | None) -> None:
    headers = (("ce_id", b"x"), ("a", b"1"), ("a", b"2"), ("empty", b""))
    again = original(letter(Record("frames", key, value, headers, 2, 7)))
    assert (again.topic, again.key, again.value) == ("frames", key, value)
    assert again.headers == headers


def test_a_letter_that_dies_again_tells_of_its_last_death_only() -> None:
    first = letter()
    again = Record("frames", b"cam-1", first.value, first.headers, 0, 123)
    second = dead_letter("dead", again, BadInput("bad_background", "unknown"), "embed", 3)
    names = [name for name, _ in second.headers]
    assert len(names) == len(set(names))
    assert second.header("ce_id") == "x"
    assert second.header("dead_offset") == "123"
    assert second.header("dead_reason") == "bad_background"
    assert second.header("dead_attempts") == "3"


def test_the_id_given_at_the_first_death_stays() -> None:
    nameless = Record("frames", None, b"", (), 2, 7)
    first = letter(nameless)
    again = letter(Record("frames", None, b"", first.headers, 0, 123))
    assert again.header("ce_id") == "frames-2-7"


def test_whatever_frames_took_fits_with_the_reason() -> None:
    """Errors quote what was sent; a header as large as the topic allows must not be doubled."""
    sent = b'"' + b"\x01" * 2**20 + b'"'
    origin = Record("frames", None, b"image", (("background", sent),), 0, 0)
    error = BadInput("bad_background", f"background {sent!r}; expected a JSON object")
    dead = letter(origin, error)
    grown = sum(len(name) + len(value) for name, value in dead.headers[1:])
    assert grown <= (DEAD_LETTERS.max_bytes - FRAMES.max_bytes) / 2


def test_an_error_that_utf_8_can_not_carry_is_told_all_the_same() -> None:
    dead = letter(error=BadInput("bad_id", "id \ud800"))
    assert (dead.header("dead_error") or "").startswith("id ")
