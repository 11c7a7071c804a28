"""Claim check: the frame names its image by URI instead of carrying it.

Pattern: Hohpe & Woolf, Enterprise Integration Patterns, "Claim Check".
"""

import asyncio
import os
import stat
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from schemas.errors import BadInput, DependencyDown
from workers.allow_list import AllowList, refused

PART = "image store"
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429})


class Fetcher:
    """Fetches images from allowed places only, and never more than ``max_bytes`` of them.

    ``file://`` reads regular files below the allowed folders, symbolic links resolved first.
    ``https://`` (and ``http://`` where a prefix says so) follows at most three redirects, each of
    them allowed itself. ``s3://bucket/key`` becomes a plain ``GET {s3_endpoint}/bucket/key``
    without credentials: it serves public buckets and gateways that sign by themselves; for
    private buckets let the publisher send a presigned ``https://`` URL.
    """

    def __init__(
        self, allow: tuple[str, ...], max_bytes: int, timeout_s: float, s3_endpoint: str | None
    ) -> None:
        self._allow = AllowList.parse(allow)
        self._max_bytes = max_bytes
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._s3_endpoint = s3_endpoint
        self._session: aiohttp.ClientSession | None = None
        self.answers = 0
        """How often a store has answered so far, be it to say that the image is not there."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, uri: str) -> bytes:
        """Return the bytes behind ``uri``.

        Raises:
            BadInput: ``image_uri_refused``, ``image_uri_missing`` or ``too_many_bytes``.
            DependencyDown: the store does not answer, or says that it cannot just now.
        """
        url = self._allow.check(uri)
        if url.scheme == "file":
            return await asyncio.to_thread(self._read_file, uri)
        try:
            return await self._get(self._s3(url) if url.scheme == "s3" else url)
        except ValueError as error:  # of the redirect's target, or of what aiohttp cannot ask for
            raise refused(f"{uri!r} leads to no valid URL: {error}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            why = f"{type(error).__name__}: {error}"
            raise DependencyDown(PART, f"{url.host} does not answer: {why}") from error

    def _read_file(self, uri: str) -> bytes:
        path = self._allow.check_file(uri)
        try:
            with open(path, "rb", opener=_open) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise _missing(uri, "not a regular file")
                content = file.read(self._max_bytes + 1)
        except OSError as error:
            raise _missing(uri, error.strerror or str(error)) from error
        self._check_size(len(content), uri)
        return content

    def _s3(self, url: URL) -> URL:
        if self._s3_endpoint is None:
            raise refused(f"{str(url)!r} needs PERENNIAL_S3_ENDPOINT, which is not set")
        return URL(f"{self._s3_endpoint.rstrip('/')}/{url.host}{url.raw_path}", encoded=True)

    async def _get(self, url: URL) -> bytes:
        if self._session is None:
            # Nothing is decompressed: the limit counts the bytes that arrive.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
            )
        for _ in range(1 + _MOST_REDIRECTS):
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._body(response)
                location = response.headers.get("Location", "")
            url = self._allow.check(urljoin(str(url), location))
        raise refused(f"{url.host} redirects more than {_MOST_REDIRECTS} times")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        url = str(response.url)
        if response.status >= 500 or response.status in _TRY_AGAIN:
            raise DependencyDown(PART, f"{response.url.host} answers {response.status}")
        self.answers += 1
        if response.status != 200:
            raise _missing(url, f"status {response.status}")
        if response.content_length is not None:
            self._check_size(response.content_length, url)
        content = bytearray()
        async for chunk in response.content.iter_chunked(2**16):
            content += chunk
            self._check_size(len(content), url)
        return bytes(content)

    def _check_size(self, size: int, uri: str) -> None:
        if size > self._max_bytes:
            limit = f"at most {self._max_bytes} (PERENNIAL_MAX_IMAGE_BYTES)"
            raise BadInput("too_many_bytes", f"{uri!r} has {size} bytes or more; {limit}")


def _missing(uri: str, why: str) -> BadInput:
    return BadInput("image_uri_missing", f"{uri!r}: {why}")


def _open(path: str, flags: int) -> int:
    # NONBLOCK: opening a pipe must not hang. NOFOLLOW: links were resolved before the check.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
