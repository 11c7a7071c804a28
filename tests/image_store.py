"""A real image store for tests: an HTTP server that fails as it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, Self

from aiohttp import web

State = Literal["well", "failing", "hanging"]


class ImageStore:
    """Serves one image under every name; ``bad/…`` is answered by 500, ``hang/…`` never.

    ``state`` is how it answers everybody; ``stop`` closes its port, ``start`` opens it again.
    """

    def __init__(self, image: bytes) -> None:
        self.state: State = "well"
        self.asked: Counter[str] = Counter()
        self.port = 0
        self._image = image
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Its address, which ends with a slash."""
        return f"http://127.0.0.1:{self.port}/"

    def claim(self, name: str) -> bytes:
        """Return the value of a claim check for the image of that name."""
        return b'{"image_uri": "%s%s"}' % (self.url.encode(), name.encode())

    async def start(self) -> None:
        """Listen: at the first time on any free port, then on the same one."""
        app = web.Application()
        app.router.add_get("/{name:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked[name] += 1
        if self.state == "hanging" or name.startswith("hang/"):
            await asyncio.sleep(3600)
        if self.state == "failing" or name.startswith("bad/"):
            return web.Response(status=500)
        return web.Response(body=self._image) if name else web.Response(status=404)


@asynccontextmanager
async def stores(image: bytes, count: int) -> AsyncIterator[list[ImageStore]]:
    """Start some stores."""
    made = [ImageStore(image) for _ in range(count)]
    try:
        for store in made:
            await store.start()
        yield made
    finally:
        for store in made:
            await store.stop()
