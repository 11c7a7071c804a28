"""When a photograph says that it was taken."""

import io
import threading
import warnings
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, UTC, datetime, tzinfo

_DIGITS = 6  # of a second's microseconds
_FORMATS = ("JPEG", "PNG", "WEBP")
_one_reads = threading.Lock()
"""Held while Pillow reads: which warnings are shown is said for all threads at once."""


def taken_at(image: bytes, clock: tzinfo = UTC) -> datetime | None:
    """Return the instant of EXIF's DateTimeOriginal in UTC, with its sub-seconds, by its offset.

    None where the photograph says nothing that makes sense: the first and the last year that a time
    can have are those of clocks that were never set, and no offset may lead beyond them.

    Args:
        image: the encoded file; nothing of it is decoded.
        clock: by which the camera's clock goes, where it names no offset.

    Source: CIPA DC-008-2019, tags 0x9003, 0x9291 and 0x9011.
    """
    from PIL import ExifTags, Image  # here, since its import is slow

    tags: dict[int, object] = {}
    with _one_reads, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is damaged, or large: nothing is decoded here
        # What a damaged file makes Pillow raise is of many kinds; it says nothing then.
        with suppress(Exception), Image.open(io.BytesIO(image), formats=_FORMATS) as photograph:
            exif = Image.Exif()  # getexif() would decode a PNG, in search of what comes behind
            exif.load(photograph.info.get("exif", b""))
            tags = exif.get_ifd(ExifTags.IFD.Exif)
    try:
        text = _text(tags.get(ExifTags.Base.DateTimeOriginal))
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  the zone comes below
    except ValueError:
        return None
    if moment.year in (MINYEAR, MAXYEAR):
        return None
    part = _text(tags.get(ExifTags.Base.SubsecTimeOriginal))
    digits = part[:_DIGITS].ljust(_DIGITS, "0") if part.isdecimal() and part.isascii() else "0"
    zone = _zone(_text(tags.get(ExifTags.Base.OffsetTimeOriginal)), clock)
    # In UTC: old times of a named zone are minutes and seconds apart, which no event can say.
    return moment.replace(microsecond=int(digits), tzinfo=zone).astimezone(UTC)


def _text(value: object) -> str:
    return value.strip(" \0") if isinstance(value, str) else ""


def _zone(offset: str, clock: tzinfo) -> tzinfo:
    try:
        return datetime.strptime(offset, "%z").tzinfo or clock
    except ValueError:
        return clock
