"""The picture of what an event is about, for as long as its frame lies on ``frames``."""

import re
from urllib.parse import unquote

import numpy as np

from client.reader import record_at
from schemas.codec import frame_name, read_frame
from schemas.errors import BadInput, SetupError
from schemas.event import Region, frame_of
from schemas.recognition_event import RecognitionEvent
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import FRAMES
from workers.images.decode import Limits, crop, decode
from workers.images.image_header import Format, read_header

_QUALITY = 95
_SUFFIX = {Format.JPEG: ".jpg", Format.PNG: ".png", Format.WEBP: ".webp"}
_MAX_STEM = 120


async def picture_of(settings: Settings, event: RecognitionEvent) -> bytes:
    """Return the encoded image that was looked at: the frame as it was published, or its region.

    Raises:
        SetupError: the frame is not there any more, or its image lies elsewhere: that is named.
        BadInput: it is no image that can be decoded.
        DependencyDown: the broker does not answer.
        NotAllowed: we may not read ``frames``.
    """
    frame = read_frame(await _frame_record(settings, event))
    if frame.image is None:
        raise SetupError(f"the image of {event.event_id} lies at {frame.image_uri}")
    if event.region is None:
        return frame.image
    return _cut(frame.image, event.region, Limits.of(settings))


def file_name(event_id: str, picture: bytes) -> str:
    """Return a file's name for the picture of an event, with the suffix of its format."""
    stem = re.sub(r"[^\w.#~-]+", "_", unquote(event_id)).strip("._")[-_MAX_STEM:]
    try:
        suffix = _SUFFIX[read_header(picture).format]
    except BadInput:  # as it was published, whatever it is
        suffix = ""
    return stem if stem.lower().endswith(suffix) else stem + suffix


async def _frame_record(settings: Settings, event: RecognitionEvent) -> Record:
    at = event.frame
    if at is None:
        raise SetupError(f"{event.event_id} does not tell where its frame lies")
    record = await record_at(settings, FRAMES, at.partition, at.offset)
    # Who makes a topic anew begins again at offset 0: another frame may lie there.
    if record is None or frame_name(record) != frame_of(event.event_id):
        raise SetupError(
            f"the frame of {event.event_id} lies no more at partition {at.partition}, offset "
            f"{at.offset} of {settings.topic(FRAMES)}, which keeps frames for a time only"
        )
    return record


def _cut(image: bytes, region: Region, limits: Limits) -> bytes:
    import simplejpeg  # here, since only a region needs it

    pixels = np.ascontiguousarray(crop(decode(image, limits), region))
    encoded: bytes = simplejpeg.encode_jpeg(pixels, _QUALITY, "RGB", "444")
    return encoded
