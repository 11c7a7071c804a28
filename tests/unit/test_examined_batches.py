"""Batches are examined before they are unpacked: bombs and floods are refused, the rest is read."""

import gzip
import struct
import zlib
from collections.abc import Iterator

import cramjam
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException

from client.reading.examined import ExaminedRecords
from client.reading.raw_batches import unpack
from client.reading.unpacking import MAX_UNPACKED, unpacked
from schemas.dead_letter import dead_letter
from schemas.errors import Unreadable
from schemas.limits import MAX_HEADERS
from schemas.records import Record
from tests.raw_batches import GZIP, LZ4, SNAPPY, ZSTD, batch, garbage, signed

PLACE = TopicPartition("frames", 2)
CODECS = (0, GZIP, SNAPPY, LZ4, ZSTD)
BOMB = bytes(MAX_UNPACKED + 1)


def record(value: bytes, headers: int = 1) -> Record:
    return Record("frames", b"k", value, (("h", b""),) * headers)


def reading(data: bytes) -> Iterator[tuple[int, bytes]]:
    options = (None, None, True, READ_COMMITTED)
    for read in PartitionRecords(PLACE, ExaminedRecords(data), None, 0, *options):
        yield read.offset, read.value


@pytest.mark.parametrize("codec", CODECS)
def test_good_batches_are_read(codec: int) -> None:
    large = bytes(20_000)
    data = batch([record(b"a"), record(large, MAX_HEADERS)], codec) + signed(
        batch([record(b"b")], codec), 2
    )
    assert ExaminedRecords(data).size_in_bytes() == len(data)
    assert list(reading(data)) == [(0, b"a"), (1, large), (2, b"b")]
    assert list(reading(data[:-1])) == [(0, b"a"), (1, large)], "the last one is cut short"


def test_nothing_is_no_batch() -> None:
    assert ExaminedRecords(b"").next_batch() is None


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_bomb_is_refused_by_both_readers(codec: int) -> None:
    data = batch([record(BOMB)], codec)
    assert len(data) < MAX_UNPACKED // 15
    with pytest.raises(CorruptRecordException, match=f"more than {MAX_UNPACKED} bytes"):
        list(reading(data))
    chunk = unpack(PLACE, data, None, 0, 1)
    assert isinstance(chunk.records[0].problem, Unreadable)
    assert "unpacks to more" in str(chunk.records[0].problem)
    assert chunk.next_offset == 1


@pytest.mark.parametrize("codec", CODECS)
def test_a_flood_of_headers_is_refused_and_its_neighbours_are_read(codec: int) -> None:
    data = batch([record(b"a"), record(b"b", MAX_HEADERS + 1), record(b"c")], codec)
    whole = reading(data)
    assert next(whole) == (0, b"a")
    with pytest.raises(CorruptRecordException, match="a record of 1001 headers"):
        next(whole)
    first, flood, last = unpack(PLACE, data, None, 0, 3).records
    assert (first.value, flood.value, last.value) == (b"a", b"b", b"c")
    assert flood.problem is not None
    assert flood.problem.reason == "too_many_headers"
    assert len(flood.headers) == MAX_HEADERS
    assert first.problem is last.problem is None
    letter = dead_letter("frames", flood, flood.problem, "read", 1)
    assert len(letter.headers) < MAX_HEADERS, "who reads letters can read this one"


@pytest.mark.parametrize("codec", CODECS[1:])
def test_garbage_is_refused(codec: int) -> None:
    with pytest.raises(Exception, match=r"."):
        list(reading(garbage(3, codec)))


@pytest.mark.parametrize(
    ("codec", "data", "said"),
    [
        (7, b"x", "the codec 7 is unknown"),
        (GZIP, gzip.compress(b"x" * 1000)[:-9], "cut short"),
        (GZIP, b"".join(gzip.compress(bytes(MAX_UNPACKED // 4)) for _ in range(5)), "more than"),
        (SNAPPY, b"\x82SNAPPY\0" + bytes(8) + struct.pack(">i", -1), "a block of -1 bytes"),
        (
            SNAPPY,
            b"\x82SNAPPY\0"
            + bytes(8)
            + 5
            * (lambda block: struct.pack(">i", len(block)) + block)(
                bytes(cramjam.snappy.compress_raw(bytes(MAX_UNPACKED // 4)))
            ),
            "more than",
        ),
    ],
    # Of bytes pytest makes a name, and gzip writes the time: two processes would differ.
    ids=["codec", "gzip-short", "gzip-large", "snappy-length", "snappy-large"],
)
def test_what_cannot_be_unpacked_says_why(codec: int, data: bytes, said: str) -> None:
    with pytest.raises(CorruptRecordException, match=said):
        unpacked(codec, data)


def test_gzip_of_several_members_and_raw_snappy_are_unpacked() -> None:
    assert unpacked(GZIP, gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    assert unpacked(SNAPPY, bytes(cramjam.snappy.compress_raw(b"ab"))) == b"ab"
    assert unpacked(0, b"ab") == b"ab"


@pytest.mark.parametrize("tail", [b"\x80" * 12, b"\x80", b"\x00" * 3, b"\x01" * 3])
def test_records_that_do_not_add_up_are_refused(tail: bytes) -> None:
    data = bytearray(batch([record(b"a")])[:61] + tail)
    with pytest.raises(Exception, match=r"."):
        list(reading(signed(bytes(data))))


def test_old_formats_are_read_uncompressed_only() -> None:
    def old(attributes: int) -> bytes:
        body = struct.pack(">bbq", 1, attributes, 0) + struct.pack(">ii", -1, 1) + b"v"
        return struct.pack(">qiI", 0, len(body) + 4, zlib.crc32(body)) + body

    assert list(reading(old(0))) == [(0, b"v")]
    with pytest.raises(CorruptRecordException, match=r"before Kafka 0\.11"):
        list(reading(old(GZIP)))
