"""How a JPEG is put together: in one pass, or in scans that all have to be held.

Sources: ITU-T T.81 annex B (markers), section G (progressive).
"""

from dataclasses import dataclass

_SCAN, _PROGRESSIVE = 0xDA, frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers that no length follows
_MAX_SEGMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Scans:
    """The scans of a JPEG.

    Attributes:
        count: how often its decoder passes over the picture.
        held: whether the coefficients of the whole picture are held meanwhile.
    """

    count: int
    held: bool


ONE_PASS = Scans(1, held=False)


def scans_of(image: bytes) -> Scans:
    """Return the scans; those of a thumbnail within the file do not count.

    Raises:
        IndexError: the file ends within its segments.
    """
    place, components, progressive = 2, 0, False
    for _ in range(_MAX_SEGMENTS):
        if image[place] != 0xFF:
            return ONE_PASS  # the decoder will say what is wrong with it
        kind = image[place + 1]
        if kind in _BARE or kind == 0xFF:
            place += 1 if kind == 0xFF else 2
            continue
        if kind in _FRAMES:
            progressive, components = kind in _PROGRESSIVE, image[place + 9]
        if kind == _SCAN:
            held = progressive or image[place + 4] < components
            return Scans(image.count(b"\xff\xda", place), held=True) if held else ONE_PASS
        place += 2 + int.from_bytes(image[place + 2 : place + 4])
    return ONE_PASS
