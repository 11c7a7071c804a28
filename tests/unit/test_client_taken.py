"""When a photograph says that it was taken, read from its EXIF block."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from client.taken import taken_at
from schemas.instants import read_instant
from tests.pictures import encode, photograph, quarters

TWO_HOURS = timezone(timedelta(hours=2))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_instant_with_its_offset(kind: str) -> None:
    image = photograph(kind, DateTimeOriginal="2026:05:03 04:22:10", OffsetTimeOriginal="+02:00")
    assert taken_at(image) == datetime(2026, 5, 3, 4, 22, 10, tzinfo=TWO_HOURS)


def test_without_an_offset_it_is_utc_as_in_a_manifest() -> None:
    image = photograph(DateTimeOriginal="2026:05:03 04:22:10")
    assert taken_at(image) == datetime(2026, 5, 3, 4, 22, 10, tzinfo=UTC)


def test_a_burst_is_told_apart_by_parts_of_seconds() -> None:
    image = photograph(DateTimeOriginal="2026:05:03 04:22:10", SubsecTimeOriginal="25 ")
    assert taken_at(image) == datetime(2026, 5, 3, 4, 22, 10, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"DateTimeOriginal": "0000:00:00 00:00:00"},  # a clock that was never set
        {"DateTimeOriginal": "    :  :     :  :  "},
        {"DateTimeOriginal": ""},
        {"DateTimeOriginal": "yesterday"},
        {"DateTimeOriginal": "0001:01:01 00:00:00", "OffsetTimeOriginal": "+14:00"},
        {"DateTimeOriginal": "9999:12:31 23:59:59", "OffsetTimeOriginal": "-14:00"},
        {"OffsetTimeOriginal": "+02:00"},
    ],
)
def test_what_makes_no_sense_says_nothing(tags: dict[str, str]) -> None:
    assert taken_at(photograph("JPEG", **tags)) is None


@pytest.mark.parametrize("offset", ["", "   :  ", "+99:00", "CEST"])
@pytest.mark.parametrize("part", ["", "x", "²"])
def test_a_time_counts_without_the_rest(offset: str, part: str) -> None:
    image = photograph(
        DateTimeOriginal="2026:05:03 04:22:10",
        OffsetTimeOriginal=offset,
        SubsecTimeOriginal=part,
    )
    assert taken_at(image) == datetime(2026, 5, 3, 4, 22, 10, tzinfo=UTC)


def test_a_part_of_a_second_of_many_digits_stays_one() -> None:
    image = photograph(DateTimeOriginal="2026:05:03 04:22:10", SubsecTimeOriginal="9" * 30)
    assert taken_at(image) == datetime(2026, 5, 3, 4, 22, 10, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("year", [2, 1880, 9998])
def test_any_other_year_can_be_said_in_an_event(year: int) -> None:
    """Clocks of Brussels were 17 minutes and 30 seconds before UTC until 1892."""
    taken = taken_at(
        photograph(DateTimeOriginal=f"{year:04}:01:01 00:00:00"), ZoneInfo("Europe/Brussels")
    )
    assert taken is not None
    assert read_instant(taken.isoformat()) == taken


def test_files_that_are_damaged_or_none_say_nothing() -> None:
    whole = photograph(DateTimeOriginal="2026:05:03 04:22:10")
    for end in range(0, len(whole), 7):
        taken_at(whole[:end])  # no error, no warning
    for at in range(20, 200):
        taken_at(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    assert taken_at(b"") is None
    assert taken_at(b"no image at all") is None
    assert taken_at(encode(quarters())) is None


def test_a_picture_too_large_to_decode_still_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    assert taken_at(photograph(DateTimeOriginal="2026:05:03 04:22:10")) is not None
