"""Batches that are looked at before aiokafka builds anything of them.

It unpacks a batch whatever its size, and builds a pair for each header of a record: a record of the
largest size can have twelve million, which take most of a gigabyte.
"""

from collections.abc import Iterator
from typing import Any, final

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords

from client.reading.unpacking import unpacked
from schemas.limits import MAX_HEADERS

_LENGTH, _PREFIX = 8, 12  # of a batch: where its length stands, and from where on it counts
_MAGIC, _OLD_ATTRIBUTES, _ATTRIBUTES = 16, 17, 22  # of its two bytes the lower one
_RECORDS = 61
_CODEC, _CONTROL = 0x07, 0x20


def examine_batches() -> None:
    """Let every consumer of this process examine the batches that it fetches."""
    fetcher.MemoryRecords = ExaminedRecords


@final
class ExaminedRecords:
    """The batches of one answer, as aiokafka's ``MemoryRecords``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._batches = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        """Return the length of the answer."""
        return int(self._batches.size_in_bytes())

    def has_next(self) -> bool:
        """Tell whether there is another whole batch."""
        return bool(self._batches.has_next())

    def next_batch(self) -> Any:
        """Return the next batch; None after the last one."""
        start = self._place
        length = self._data[start + _LENGTH : start + _PREFIX]
        self._place = start + _PREFIX + int.from_bytes(length, signed=True)
        batch = self._batches.next_batch()
        data = memoryview(self._data)[start : self._place]
        return None if batch is None else _Examined(batch, data)


class _Examined:
    """A batch whose records are measured one by one, each before it is built."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)  # of a control batch, which the broker wrote

    def __iter__(self) -> Iterator[Any]:
        measured = _measured(self._data)
        next(measured, None)
        for record in self._batch:
            yield record
            next(measured, None)


def _measured(data: memoryview) -> Iterator[None]:
    """Yield for each record that is as it may be.

    Raises:
        CorruptRecordException: it has too many headers, or unpacks to too much.
    """
    if data[_MAGIC] < 2:
        if data[_OLD_ATTRIBUTES] & _CODEC:
            raise CorruptRecordException("compressed as before Kafka 0.11, which is not unpacked")
        return
    if data[_ATTRIBUTES] & _CONTROL:
        return
    records = memoryview(unpacked(data[_ATTRIBUTES] & _CODEC, data[_RECORDS:]))
    place = 0
    while place < len(records):
        length, start = _number(records, place)
        place = start + length
        if length > 2 * MAX_HEADERS:  # a header has two bytes at least
            headers = _headers(records, start)
            if headers > MAX_HEADERS:
                raise CorruptRecordException(f"a record of {headers} headers")
        elif length <= 0:
            raise CorruptRecordException(f"a record of {length} bytes")
        yield


def _headers(records: memoryview, place: int) -> int:
    """Return how many headers the record has whose attributes begin here."""
    for _ in range(3):  # attributes, time and offset
        _, place = _number(records, place)
    for _ in range(2):  # key and value
        length, place = _number(records, place)
        place += max(length, 0)
    return _number(records, place)[0]


def _number(data: memoryview, place: int) -> tuple[int, int]:
    """Return the number of variable length that stands here, and where it ends."""
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise CorruptRecordException("a number that does not end")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), place
        shift += 7
