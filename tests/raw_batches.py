"""Batches as a client of another make, or a broken one, could send them."""

import struct
from collections.abc import Sequence

from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.util import calc_crc32c

from schemas.records import Record

GARBAGE = b"these bytes are no compressed data at all"
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_HEADER, _ATTRIBUTES, _CRC = 61, 21, 17


def batch(records: Sequence[Record], codec: int = 0, at_ms: int = 1_700_000_000_000) -> bytes:
    """Return a batch of the records. A header name may hold bytes as surrogate escapes.

    Apache Kafka soon deletes what is older than its topic keeps, so there ``at_ms`` is now.
    """
    builder = Builder(2, codec, 0, -1, -1, -1, 2**30)
    swapped: list[tuple[bytes, bytes]] = []
    for number, record in enumerate(records):
        headers = []
        for name, value in record.headers:
            raw = name.encode(errors="surrogateescape")
            plain = raw.decode(errors="ignore").ljust(len(raw), "~")
            swapped.append((plain.encode(), raw))
            headers.append((plain, value))
        builder.append(number, at_ms, record.key, record.value, headers)
    data = bytes(builder.build())
    for plain_bytes, raw in swapped:
        if plain_bytes != raw:
            data = data.replace(plain_bytes, raw)
    return signed(data)


def garbage(count: int, codec: int = ZSTD) -> bytes:
    """Return a batch that says it holds ``count`` compressed records, and holds none."""
    data = bytearray(batch([Record("", b"k", b"v")] * count)[:_HEADER] + GARBAGE)
    struct.pack_into(">h", data, _ATTRIBUTES, codec)
    return signed(bytes(data))


def with_wrong_sum(data: bytes) -> bytes:
    """Return the batch with a check sum that is not its own."""
    return data[:_CRC] + bytes([data[_CRC] ^ 0xFF]) + data[_CRC + 1 :]


def signed(data: bytes, base: int = 0) -> bytes:
    """Return the batch with its length and check sum set, beginning at offset ``base``."""
    done = bytearray(data)
    struct.pack_into(">qi", done, 0, base, len(done) - 12)
    struct.pack_into(">I", done, _CRC, calc_crc32c(bytes(done[_ATTRIBUTES:])))
    return bytes(done)
