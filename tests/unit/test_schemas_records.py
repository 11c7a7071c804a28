"""Records: their place on the broker, and headers as text."""

import pytest

from schemas.records import Headers, Record


def record(*headers: tuple[str, bytes]) -> Record:
    return Record("frames", b"cam-1", b"image", headers, partition=3, offset=41)


def test_the_position_names_topic_partition_and_offset() -> None:
    assert record().position == "frames-3-41"


def test_a_record_that_the_broker_has_not_seen_has_no_position_yet() -> None:
    fresh = Record("frames", None, None)
    assert (fresh.partition, fresh.offset, fresh.timestamp_ms) == (-1, -1, -1)
    assert fresh.headers == ()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), None),
        ((("other", b"x"),), None),
        ((("name", b"oak"),), "oak"),
        ((("name", b""),), ""),
        ((("name", b"old"), ("name", b"new"), ("other", b"x")), "new"),
        ((("name", "été".encode()),), "été"),
        ((("name", b"\xff!"),), "\N{REPLACEMENT CHARACTER}!"),
        ((("Name", b"case counts"),), None),
    ],
)
def test_a_header_is_the_last_of_its_name_as_text(headers: Headers, expected: str | None) -> None:
    assert record(*headers).header("name") == expected


def test_a_header_without_a_value_counts_as_missing() -> None:
    """Kafka allows null header values; some clients send them."""
    null: bytes = None  # type: ignore[assignment]  # what the client hands over, against its type
    assert record(("name", null)).header("name") is None
    assert record(("name", b"oak"), ("name", null)).header("name") == "oak"
