"""Bytes that are nearly right: valid examples, changed at random places."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

_TOKENS: Sequence[bytes] = (
    b"[" * 300, b'{"a":' * 300, b"9" * 400, b"1" * 5000, b"-1e999", b"NaN", b"-Infinity", b"null",
    b'"\\ud800"', b"\\u0000", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf",
    "\u202e\u200b\ufeff".encode(),
    b"\x1b[2J", b"\r\n", b"\0", b'"', b"\\", b",,", b"{}", b"[]", b":", b"true", b"0.1", b"-0",
    b"9999-12-31T23:59:60Z", b"0000-00-00", b"\x80" * 12, b"\xff" * 8, b"%00", b"../", b"A" * 9000,
    b'"schema_version":2,', b'"entry_id":"x",' * 50,
)  # fmt: skip


def mutants(seeds: Sequence[bytes], count: int, random: Random) -> Iterator[bytes]:
    """Yield so many changed examples."""
    for _ in range(count):
        data = random.choice(seeds)
        for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
            data = random.choice(_CHANGES)(data, seeds, random)
        yield data


def _flipped(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _inserted(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(_TOKENS) + data[at:]


def _replaced(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + random.choice(_TOKENS) + data[end:]


def _removed(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def _repeated(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 40)) + data[end:]


def _cut(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _spliced(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _value(data: bytes, _: Sequence[bytes], random: Random) -> bytes:
    """Put a token in the place of what stands between a colon and the next comma."""
    colon = data.find(b":", random.randrange(len(data) + 1))
    comma = data.find(b",", colon)
    if colon < 0 or comma < 0:
        return data
    return data[: colon + 1] + random.choice(_TOKENS) + data[comma:]


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 2, 8, 64)))


_CHANGES: Sequence[Callable[[bytes, Sequence[bytes], Random], bytes]] = (
    _flipped, _inserted, _replaced, _removed, _repeated, _cut, _spliced, _value, _value,
)  # fmt: skip
