"""From the bytes of a frame to the images that the model takes, decoded in a few threads.

There each is measured too: see :mod:`recognition.quality`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from schemas.codec import Frame
from workers.images.decode import Limits
from workers.images.measured import prepare_measured
from workers.service.job import Image, Job, now_ms


class Decoder:
    """Decodes the image of each job.

    Args:
        size: height and width of the model's input, in pixels.
        limits: what is refused.
        threads: how many images are decoded at once.
    """

    def __init__(self, limits: Limits, size: tuple[int, int], threads: int) -> None:
        self._limits = limits
        self._size = size
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether images are being decoded."""
        return self._under_way > 0

    def close(self) -> None:
        """End the threads; what they have not begun is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def weigh(self, frame: Frame, image: bytes | None) -> int:
        """Return the most bytes that a frame holds with its images; ``None`` is not there yet."""
        encoded = self._limits.max_bytes if image is None else len(image)
        return encoded + max(1, len(frame.regions)) * self._size[0] * self._size[1] * 3

    async def decode(self, job: Job, frame: Frame, image: bytes) -> list[Image]:
        """Return the images of one job, one a region, or the whole frame without any.

        Raises:
            BadInput: for what cannot be decoded.
        """
        job.stage = "decode"
        self._under_way += 1
        try:
            prepared = await asyncio.get_running_loop().run_in_executor(
                self._pool, prepare_measured, image, frame.regions, self._limits, self._size
            )
        finally:
            self._under_way -= 1
        ready = now_ms()
        job.timings_ms["decode"] = round(ready - job.received_ms, 3)
        whole = not frame.regions
        return [
            Image(job, frame, None if whole else number, part.pixels, part.quality, ready)
            for number, part in enumerate(prepared)
        ]
