"""The records of a batch that is unpacked: any name a header may have is taken."""

from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.util import decode_varint

from schemas.errors import BadInput
from schemas.limits import MAX_HEADERS
from schemas.records import Record


def records_of(place: TopicPartition, batch: Any) -> Iterator[Record]:
    """Yield the records of aiokafka's pure-Python batch, once it is unpacked.

    Raises:
        Exception: the batch is not made as Kafka says.
    """
    cursor = _Cursor(bytes(batch._buffer), batch._pos)
    for _ in range(batch._num_records):
        yield _record(place, batch, cursor)
    if not cursor.at_end:
        raise CorruptRecordException("there are bytes after its last record")


def _record(place: TopicPartition, batch: Any, cursor: "_Cursor") -> Record:
    length = cursor.number()
    end = cursor.place + length
    cursor.number()  # attributes: none are in use
    created = batch.first_timestamp + cursor.number()
    timestamp = batch.max_timestamp if batch.timestamp_type == batch.LOG_APPEND_TIME else created
    offset = batch.base_offset + cursor.number()
    key, value = cursor.data(), cursor.data()
    count = cursor.number()
    headers = [(cursor.data() or b"", cursor.data()) for _ in range(min(count, MAX_HEADERS))]
    if count > MAX_HEADERS:
        cursor.place = end
    if cursor.place != end:
        raise CorruptRecordException(f"a record of {length} bytes ends elsewhere")
    return Record(
        place.topic,
        key,
        value,
        tuple((name.decode(errors="backslashreplace"), data or b"") for name, data in headers),
        place.partition,
        offset,
        timestamp,
        _problem(count, [name for name, _ in headers]),
    )


def _problem(count: int, names: Sequence[bytes]) -> BadInput | None:
    if count > MAX_HEADERS:
        return BadInput("too_many_headers", f"{count} headers; at most {MAX_HEADERS}")
    for name in names:
        try:
            name.decode()
        except UnicodeDecodeError:
            why = f"the header name {name!r} is not UTF-8: rename it and publish the record again"
            return BadInput("bad_header_name", why)
    return None


class _Cursor:
    """A place in the bytes of a batch, which moves on with what is taken."""

    def __init__(self, buffer: bytes, place: int) -> None:
        self._buffer = buffer
        self.place = place

    @property
    def at_end(self) -> bool:
        """Whether all is taken."""
        return self.place == len(self._buffer)

    def number(self) -> int:
        """Take a number of variable length."""
        value, self.place = decode_varint(self._buffer, self.place)
        return int(value)

    def data(self) -> bytes | None:
        """Take a length and so many bytes; -1 stands for null."""
        length = self.number()
        if length < 0:
            return None
        start, self.place = self.place, self.place + length
        if self.place > len(self._buffer):
            raise CorruptRecordException(f"{length} bytes are told, and fewer are there")
        return self._buffer[start : self.place]
