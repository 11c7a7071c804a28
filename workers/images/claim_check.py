"""Claim check: the frame names its image by URI instead of carrying it.

Pattern: Hohpe & Woolf, Enterprise Integration Patterns, "Claim Check".
"""

import asyncio
import errno
import math
import os
import stat
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from schemas.errors import BadInput, DependencyDown
from workers.images.allow_list import AllowList, refused

_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRY_AGAIN = frozenset({408, 425, 429})
# Of a file system that is there; any other error of it may pass.
_MISSING = frozenset(
    {
        errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR,
        errno.ENAMETOOLONG, errno.ENXIO, errno.EINVAL,
    }
)  # fmt: skip
PART = "image store"
MAX_AT_ONCE = 8
"""Images of one store that are fetched at once by frames that stepped aside."""


@dataclass(slots=True, eq=False)
class Store:
    """One place that images come from: scheme, host and port, or ``file://``.

    An answer is whatever settles a request: an image, or that there is none to be had. An error
    that may pass (status 500 and above, 408, 425, 429), a refused connection and silence are none.

    Attributes:
        known: what to ask for to learn whether it answers: the last image that it gave, before
            that the prefix that allows it.
        answered_at: when it last answered anybody, in the event loop's time.
        asked_at: when ``known`` was last asked for.
        quiet: it has failed, and has answered nobody since.
    """

    name: str
    known: URL
    answered_at: float = -math.inf
    asked_at: float = -math.inf
    quiet: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_AT_ONCE))

    @property
    def part(self) -> str:
        """Its name in readiness."""
        return f"{PART} {self.name}"

    def answered(self, image: URL | None = None) -> None:
        """Note an answer, and where the image lies when it was one."""
        self.answered_at = asyncio.get_running_loop().time()
        self.quiet = False
        if image is not None:
            self.known = image


class StoreDown(DependencyDown):
    """A store does not answer, or says that it cannot just now."""

    def __init__(self, store: Store, why: str) -> None:
        super().__init__(store.part, why)
        self.store = store


class Stores:
    """The stores met so far; the operator's list of prefixes bounds their number."""

    def __init__(self) -> None:
        self._stores: dict[str, Store] = {}

    def of(self, url: URL, prefix: URL) -> Store:
        """Return the store behind ``url``, which ``prefix`` allows."""
        name = "file://" if url.scheme == "file" else str(url.origin())
        return self._stores.setdefault(name, Store(name, prefix))


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
        self._stores = Stores()

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

    def store_of(self, uri: str) -> Store:
        """Return the store that ``uri`` names; a redirect may lead to another one.

        Raises:
            BadInput: ``image_uri_refused``.
        """
        return self._stores.of(*self._place(uri))

    async def fetch(self, uri: str) -> bytes:
        """Return the bytes behind ``uri``.

        Raises:
            BadInput: ``image_uri_refused``, ``image_uri_missing`` or ``too_many_bytes``.
            StoreDown: the store does not answer, or says that it cannot just now.
        """
        url, prefix = self._place(uri)
        return await self._fetch(url, prefix)

    async def answers(self, store: Store, since: float) -> bool:
        """Tell whether ``store`` has answered anybody since an instant of the event loop's time.

        Where nobody else asked it, it is asked now for what it is known to have. That happens once
        for all who want to know.
        """
        async with store.asking:
            if max(store.answered_at, store.asked_at) < since:
                try:
                    await self._fetch(store.known, store.known)
                except (BadInput, StoreDown):
                    pass  # the store has noted what it was
                finally:
                    store.asked_at = asyncio.get_running_loop().time()
            return store.answered_at >= since

    def _place(self, uri: str) -> tuple[URL, URL]:
        url = self._allow.check(uri)
        prefix = self._allow.prefix_of(url)
        return (self._s3(url), self._s3(prefix)) if url.scheme == "s3" else (url, prefix)

    async def _fetch(self, url: URL, prefix: URL) -> bytes:
        if url.scheme == "file":
            return await self._file(url, prefix)
        try:
            return await self._get(url, prefix)
        except ValueError as error:  # of the redirect's target, or of what aiohttp cannot ask for
            raise refused(f"{str(url)!r} leads to no valid URL: {error}") from error

    async def _file(self, url: URL, prefix: URL) -> bytes:
        store = self._stores.of(url, prefix)
        try:
            content = await asyncio.to_thread(self._read_file, str(url))
        except BadInput:
            store.answered()
            raise
        except OSError as error:
            store.quiet = True
            raise StoreDown(store, f"{str(url)!r}: {error}") from error
        store.answered(url)
        return content

    def _read_file(self, uri: str) -> bytes:
        allowed = self._allow.check_file(uri)
        try:
            with os.fdopen(allowed.open(), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise _missing(uri, "not a regular file")
                content = file.read(self._max_bytes + 1)
        except OSError as error:
            if error.errno not in _MISSING:
                raise
            raise _missing(uri, error.strerror or str(error)) from error
        self._check_size(len(content), uri)
        return content

    def _s3(self, url: URL) -> URL:
        if self._s3_endpoint is None:
            raise refused(f"{str(url)!r} needs PERENNIAL_S3_ENDPOINT, which is not set")
        return URL(f"{self._s3_endpoint.rstrip('/')}/{url.host}{url.raw_path}", encoded=True)

    async def _get(self, url: URL, prefix: URL) -> bytes:
        for _ in range(1 + _MAX_REDIRECTS):
            store = self._stores.of(url, prefix)
            began = asyncio.get_running_loop().time()
            try:
                answer = await self._ask(store, url)
            except ValueError:
                raise
            except (TimeoutError, aiohttp.ClientError, OSError, StoreDown) as error:
                store.quiet = store.answered_at < began
                if isinstance(error, StoreDown):
                    raise
                why = f"does not answer: {type(error).__name__}: {error}"
                raise StoreDown(store, why) from error
            if isinstance(answer, bytes):
                return answer
            url = self._allow.check(answer)
            prefix = self._allow.prefix_of(url)
        raise refused(f"{url.host} redirects more than {_MAX_REDIRECTS} times")

    async def _ask(self, store: Store, url: URL) -> bytes | str:
        """Return the image, or where the store says that it lies."""
        if self._session is None:
            # Nothing is decompressed: the limit counts the bytes that arrive.
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
            )
        async with self._session.get(url, allow_redirects=False) as response:
            if response.status >= 500 or response.status in _TRY_AGAIN:
                raise StoreDown(store, f"{str(url)!r} is answered by status {response.status}")
            if response.status in _REDIRECTS:
                store.answered()
                return urljoin(str(url), response.headers.get("Location", ""))
            try:
                content = await self._body(response)
            except BadInput:
                store.answered()
                raise
        store.answered(url)
        return content

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        url = str(response.url)
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
