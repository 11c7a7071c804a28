"""Unpacking a compressed batch, up to a limit: a few bytes can stand for gigabytes."""

import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cramjam
import numpy as np
from aiokafka.errors import CorruptRecordException

from schemas.topics import DEAD_LETTERS

MAX_UNPACKED = DEAD_LETTERS.request_bytes
"""Bytes of a batch without its compression: no topic takes a larger one uncompressed either."""

_GZIP = 31  # zlib's number for data with a header and a trailer of gzip
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER = 16


def unpacked(codec: int, data: bytes | memoryview) -> bytes | memoryview:
    """Return what the records of a batch are, by the number of its codec (0: not compressed).

    Raises:
        CorruptRecordException: the codec is unknown, or it is more than :data:`MAX_UNPACKED`.
        Exception: the data are not of this codec.
    """
    if codec == 0:
        return data
    if codec not in _CODECS:
        raise CorruptRecordException(f"the codec {codec} is unknown")
    return _CODECS[codec](data)


def _gzip(data: bytes | memoryview) -> bytes:
    parts: list[bytes] = []
    room = MAX_UNPACKED
    rest = bytes(data)
    while rest:
        stream = zlib.decompressobj(_GZIP)
        parts.append(stream.decompress(rest, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise _too_much()
        if not stream.eof:
            raise CorruptRecordException("the gzip data are cut short")
        rest = stream.unused_data
    return b"".join(parts)


def _snappy(data: bytes | memoryview) -> bytes:
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return _snappy_block(data, MAX_UNPACKED)
    parts: list[bytes] = []
    room, place = MAX_UNPACKED, _XERIAL_HEADER
    while place < len(data):
        (length,) = struct.unpack_from(">i", data, place)
        if length <= 0:
            raise CorruptRecordException(f"a block of {length} bytes")
        parts.append(_snappy_block(data[place + 4 : place + 4 + length], room))
        room -= len(parts[-1])
        place += 4 + length
    return b"".join(parts)


def _snappy_block(data: bytes | memoryview, room: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(data) > room:
        raise _too_much()
    return bytes(cramjam.snappy.decompress_raw(data))


def _within(decompress_into: Callable[[Any, Any], int]) -> Callable[[bytes | memoryview], bytes]:
    def unpack(data: bytes | memoryview) -> bytes:
        # Memory that is not written to is not taken from the system.
        room = np.empty(MAX_UNPACKED, np.uint8)
        try:
            length = decompress_into(bytes(data), room)
        except cramjam.DecompressionError as error:
            if "whole buffer" in str(error):
                raise _too_much() from error
            raise
        return room[:length].tobytes()

    return unpack


def _too_much() -> CorruptRecordException:
    return CorruptRecordException(f"it unpacks to more than {MAX_UNPACKED} bytes")


_CODECS: Mapping[int, Callable[[bytes | memoryview], bytes]] = MappingProxyType(
    {
        1: _gzip,
        2: _snappy,
        3: _within(cramjam.lz4.decompress_into),
        4: _within(cramjam.zstd.decompress_into),
    }
)
