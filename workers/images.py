"""From a job to the images that the model takes: fetch when it is a claim check, then decode."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.codec import Frame
from schemas.errors import BadInput, DependencyDown
from schemas.event import Region
from workers.claim_check import PART, Fetcher
from workers.decode import Limits, Pixels, crop, decode, fit
from workers.job import Image, Job, now_ms
from workers.patience import Patience

_MOST_ATTEMPTS = 8


class Images:
    """Makes the images of each job, decoding in a few threads.

    Args:
        size: height and width of the model's input, in pixels.
        limits: what is refused.
        threads: how many images are decoded at once.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        patience: Patience,
        limits: Limits,
        size: tuple[int, int],
        threads: int,
    ) -> None:
        self._fetcher = fetcher
        self._patience = patience
        self._limits = limits
        self._size = size
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def close(self) -> None:
        """End the threads; what they have not begun is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def weigh(self, frame: Frame) -> int:
        """Return the most bytes that the frame and its images will hold."""
        encoded = self._limits.max_bytes if frame.image is None else len(frame.image)
        return encoded + max(1, len(frame.regions)) * self._size[0] * self._size[1] * 3

    async def make(self, job: Job, frame: Frame) -> list[Image]:
        """Return the images of one job, one a region, or the whole frame without any.

        Raises:
            BadInput: for what was fetched or decoded.
        """
        job.stage = "fetch"
        image = frame.image if frame.image is not None else await self._fetch(job, frame)
        job.stage = "decode"
        pixels = await asyncio.get_running_loop().run_in_executor(
            self._pool, prepare, image, frame.regions, self._limits, self._size
        )
        ready = now_ms()
        job.timings_ms["decode"] = round(ready - job.received_ms, 3)
        whole = not frame.regions
        return [Image(job, frame, None if whole else n, p, ready) for n, p in enumerate(pixels)]

    async def _fetch(self, job: Job, frame: Frame) -> bytes:
        """Fetch by claim check, for as long as the store is down.

        One image that keeps failing while others come through is not a store that is down.
        """
        if frame.image_uri is None:
            raise BadInput("no_image", "neither image bytes nor image_uri")
        uri, answers_before = frame.image_uri, self._fetcher.answers
        job.attempts = 0

        async def attempt() -> bytes:
            job.attempts += 1
            try:
                return await self._fetcher.fetch(uri)
            except DependencyDown as error:
                if job.attempts >= _MOST_ATTEMPTS and self._fetcher.answers > answers_before:
                    why = f"{error}, after {job.attempts} attempts, while other images came"
                    raise BadInput("image_uri_failing", why) from error
                raise

        return await self._patience(PART, "fetch", attempt)


def prepare(
    image: bytes, regions: Sequence[Region], limits: Limits, size: tuple[int, int]
) -> list[Pixels]:
    """Decode a file into what the model takes: (h, w, 3) for each region, or for the whole.

    Raises:
        BadInput: as ``decode`` and ``crop`` say.
    """
    pixels = decode(image, limits, at_least=0 if regions else max(size))
    views = [crop(pixels, region) for region in regions] if regions else [pixels]
    return [fit(view, size) for view in views]
