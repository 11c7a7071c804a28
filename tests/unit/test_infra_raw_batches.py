"""Batches taken apart by hand: what can be read is, and the rest is named to the offset."""

import pytest
from aiokafka import TopicPartition

from client.reading.raw_batches import KEPT_BYTES, unpack
from schemas.errors import Unreadable
from schemas.records import Record
from tests.raw_batches import (
    GARBAGE,
    GZIP,
    LZ4,
    SNAPPY,
    ZSTD,
    batch,
    garbage,
    signed,
    with_wrong_sum,
)

PLACE = TopicPartition("frames", 2)


def plain(count: int) -> list[Record]:
    return [Record("frames", b"k", b"v%d" % n, (("ce_id", b"%d" % n),)) for n in range(count)]


def seen(records: tuple[Record, ...]) -> list[tuple[int, bytes | None, str | None]]:
    return [(r.offset, r.value, None if r.problem is None else r.problem.reason) for r in records]


@pytest.mark.parametrize("codec", [0, GZIP, SNAPPY, LZ4, ZSTD])
def test_good_batches_of_every_codec(codec: int) -> None:
    data = signed(batch(plain(3), codec), 7) + signed(batch(plain(1), codec), 20)
    chunk = unpack(PLACE, data, None, 8, 30)
    assert seen(chunk.records) == [(8, b"v1", None), (9, b"v2", None), (20, b"v0", None)]
    first = chunk.records[0]
    assert (first.topic, first.partition, first.key) == ("frames", 2, b"k")
    assert first.headers == (("ce_id", b"1"),)
    assert first.timestamp_ms == 1_700_000_000_000
    assert chunk.next_offset == 21


def test_a_header_name_that_is_not_utf_8_keeps_the_record_and_its_neighbours() -> None:
    bad = Record("frames", b"k", b"bad", (("caf\udce9", b"x"), ("ce_id", b"7"), ("n", b"")))
    chunk = unpack(PLACE, batch([*plain(1), bad, *plain(1)]), None, 0, 3)
    assert seen(chunk.records) == [
        (0, b"v0", None),
        (1, b"bad", "bad_header_name"),
        (2, b"v0", None),
    ]
    letter = chunk.records[1]
    assert letter.headers == (("caf\\xe9", b"x"), ("ce_id", b"7"), ("n", b""))
    assert "caf" in str(letter.problem)


@pytest.mark.parametrize("codec", [0, GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_of_garbage_is_one_record_that_names_its_stretch(codec: int) -> None:
    data = batch(plain(2)) + signed(garbage(4, codec), 2) + signed(batch(plain(1)), 6)
    chunk = unpack(PLACE, data, None, 0, 7)
    [bad] = [r for r in chunk.records if r.problem is not None]
    assert [r.offset for r in chunk.records] == [0, 1, 5, 6]
    assert isinstance(bad.problem, Unreadable)
    assert bad.problem.first == 2
    assert "frames-2-2..5" in str(bad.problem)
    assert GARBAGE in (bad.value or b"")
    assert chunk.next_offset == 7


def test_a_wrong_sum_does_not_lead_beyond_the_next_batch() -> None:
    broken = bytearray(with_wrong_sum(signed(batch(plain(3)), 0)))
    broken[23:27] = (1_000_000).to_bytes(4)  # the last offset, as it tells
    followed = unpack(PLACE, bytes(broken) + signed(batch(plain(1)), 3), None, 1, 9)
    assert [r.offset for r in followed.records] == [2, 3]
    assert unpack(PLACE, bytes(broken), None, 1, 9).next_offset == 9


def test_the_readable_part_of_a_batch_is_read() -> None:
    data = bytearray(batch(plain(3)))
    data[-2] = 9  # in the last record: more headers' bytes than there are
    chunk = unpack(PLACE, signed(bytes(data)), None, 0, 3)
    assert seen(chunk.records)[:2] == [(0, b"v0", None), (1, b"v1", None)]
    assert isinstance(chunk.records[2].problem, Unreadable)
    assert chunk.records[2].problem.first == 2


def test_what_was_aborted_is_passed_over() -> None:
    aborted = bytearray(batch(plain(2)))
    aborted[21:23] = (0x10).to_bytes(2)  # of a transaction
    aborted[43:51] = (77).to_bytes(8)  # of this producer
    data = signed(bytes(aborted)) + signed(batch(plain(1)), 2)
    chunk = unpack(PLACE, data, [(77, 0)], 0, 3)
    assert [r.offset for r in chunk.records] == [2]


def test_a_batch_cut_short_is_left_for_the_next_fetch() -> None:
    whole = batch(plain(2))
    chunk = unpack(PLACE, whole + signed(batch(plain(2)), 2)[:-3], None, 0, 4)
    assert chunk.next_offset == 2
    assert unpack(PLACE, whole[:-1], None, 0, 4).next_offset == 0


def test_of_a_large_broken_batch_the_beginning_is_kept() -> None:
    data = signed(batch([Record("frames", None, bytes(2 * KEPT_BYTES))]))
    [bad] = unpack(PLACE, with_wrong_sum(data), None, 0, 1).records
    assert bad.value == with_wrong_sum(data)[:KEPT_BYTES]


def test_many_records_come_in_portions() -> None:
    data = batch(plain(900)) + signed(batch(plain(900)), 900)
    chunk = unpack(PLACE, data, None, 0, 1800)
    assert len(chunk.records) == chunk.next_offset == 1000
