"""Kafka's record batches taken apart by hand, so that one bad record does not cost the others.

aiokafka raises where a batch is broken or the name of a header is not UTF-8, and then none of the
batch can be had. confluent-kafka is no way out (tried on 2.16): it gives such a record without any
of its headers, does not check sums, and says nothing at all of a batch whose structure is broken.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy as _Unpacked

from client.reading.raw_records import records_of
from client.reading.unpacking import unpacked
from schemas.errors import Unreadable
from schemas.reading import Chunk
from schemas.records import Record

KEPT_BYTES = 2**20
"""How much of a batch that nobody can unpack goes into its dead letter."""

_ENOUGH = 1000
_PREFIX = 12  # of a batch: its first offset, and how many bytes follow
_MAGIC_AT = 16
_MAGIC = 2


class _Committed(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """Passes over control batches and what was aborted, as aiokafka does."""

    def _consumer_record(self, _: TopicPartition, record: Record) -> Record:
        return record

    def _contains_abort_marker(self, next_batch: "_Batch") -> bool:
        try:
            return bool(super()._contains_abort_marker(next_batch))
        except Exception:  # noqa: BLE001  what says it is the broker's and is not marks nothing
            return False


def unpack(place: TopicPartition, data: bytes, aborted: Any, offset: int, end: int) -> Chunk:
    """Return what a fetch of ``place`` from ``offset`` on brought.

    A record with a bad header name has its ``problem``; of what cannot be unpacked there is one
    record for all, with the bytes of the batch.

    Args:
        data: the answer's batches, the last of which may be cut short.
        aborted: the aborted transactions, as the answer names them.
        offset: where reading begins, maybe in the midst of a batch.
        end: where the partition ends, so that a broken length leads nowhere beyond.
    """
    batches = _Batches(place, data, offset, end)
    # Neither keys nor values are deserialized here, and check sums are checked below.
    options = (None, None, False, READ_COMMITTED)
    reading = _Committed(place, batches, aborted, offset, *options)
    records = []
    for record in reading:
        records.append(record)
        if len(records) >= _ENOUGH:
            return Chunk(tuple(records), record.offset + 1)
    return Chunk(tuple(records), reading.next_fetch_offset)


class _Batches:
    """The complete batches of an answer, one after the other."""

    def __init__(self, place: TopicPartition, data: bytes, offset: int, end: int) -> None:
        self._place = place
        self._offset = offset
        self._end = end
        self._slices = list(_slices(data))

    def has_next(self) -> bool:
        return bool(self._slices)

    def next_batch(self) -> "_Batch":
        data = self._slices.pop(0)
        end = _base(self._slices[0]) if self._slices else self._end
        return _Batch(self._place, data, self._offset, end)


def _slices(data: bytes) -> Iterator[bytes]:
    """Yield the complete batches; those of formats before Kafka 0.11 only if the first is one."""
    start = 0
    while start + _MAGIC_AT < len(data):
        stop = start + _PREFIX + int.from_bytes(data[start + 8 : start + _PREFIX], signed=True)
        old = data[start + _MAGIC_AT] < _MAGIC
        if not start + _MAGIC_AT < stop <= len(data) or (old and start > 0):
            return
        yield data[start:stop]
        start = stop


def _base(batch: bytes) -> int:
    return int.from_bytes(batch[:8], signed=True)


class _Batch:
    """One batch as aiokafka's ``PartitionRecords`` wants it, that never raises."""

    def __init__(self, place: TopicPartition, data: bytes, offset: int, end: int) -> None:
        self._place = place
        self._data = data
        self.base_offset = _base(data)
        self._first = last = max(self.base_offset, offset)
        self._broken: Exception | None = None
        try:
            self._unpacked = _Unpacked(data)
            last = self._unpacked.next_offset - 1
            _check(self._unpacked)
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, it can be skipped
            self._broken = error
        # Where the sum is wrong the header may be so too: it must not lead beyond the next batch.
        self._last = max(self._first, min(last, end - 1))
        self.next_offset = self._last + 1
        self._records = self._each()

    @property
    def producer_id(self) -> int | None:
        """Who wrote it, where that is known for certain."""
        return None if self._broken else int(self._unpacked.producer_id)

    @property
    def is_transactional(self) -> bool:
        """Whether it belongs to a transaction."""
        return not self._broken and bool(self._unpacked.is_transactional)

    @property
    def is_control_batch(self) -> bool:
        """Whether the broker wrote it, for its own purposes."""
        return not self._broken and bool(self._unpacked.is_control_batch)

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def __next__(self) -> Record:
        return next(self._records)

    def _each(self) -> Iterator[Record]:
        done = self._first
        try:
            if self._broken is not None:
                raise self._broken
            for record in records_of(self._place, self._unpacked):
                yield record
                done = max(done, record.offset + 1)
        except Exception as error:  # noqa: BLE001  no error of a library may stop a partition
            yield self._unreadable(done, error)

    def _unreadable(self, first: int, error: Exception) -> Record:
        topic, partition = self._place
        what = f"{topic}-{partition}-{first}..{self._last}"
        why = f"{what} cannot be unpacked: {type(error).__name__}: {error}; publish it again"
        problem = Unreadable(first, why)
        kept = self._data[:KEPT_BYTES]
        return Record(topic, None, kept, (), partition, self._last, problem=problem)


def _check(batch: Any) -> None:
    if batch.magic < _MAGIC:
        raise CorruptRecordException(f"record format {batch.magic}, which can be read only whole")
    if not batch.validate_crc():
        raise CorruptRecordException("its check sum is wrong")
    records = memoryview(batch._buffer)[batch._pos :]
    batch._buffer = bytearray(unpacked(batch.compression_type, records))
    batch._pos = 0
