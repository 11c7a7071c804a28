"""TLS in front of a server that has none; its certificate may be exchanged while it runs."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from infra.local.processes import free_port


class TlsProxy:
    """Listens on a loopback port and passes on, decrypted, what comes.

    ``certificate`` is the PEM file that new connections are shown; None: no TLS is spoken.
    """

    def __init__(self, target_port: int, certificate: Path | None, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        self._target_port = target_port
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def show(self, certificate: Path | None) -> None:
        """Cut all connections, and show another certificate from now on."""
        self._certificate = certificate
        self._do(self._close())
        self._do(self._listen())

    def cut(self) -> None:
        """Cut all connections; new ones are taken."""
        self.show(self._certificate)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        context = None
        if self._certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._certificate)
        self._server = await asyncio.start_server(
            self._pass_on, "127.0.0.1", self.port, ssl=context
        )

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        while self._open:
            await asyncio.sleep(0.01)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError):
                inner, outer = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._open.add(outer)
                try:
                    await _both(asyncio.ensure_future(_copy(reader, outer)), _copy(inner, writer))
                finally:
                    outer.transport.abort()
                    self._open.discard(outer)
        finally:
            writer.transport.abort()
            self._open.discard(writer)


async def _both(first: "asyncio.Future[None]", second: Coroutine[Any, Any, None]) -> None:
    """Wait until one direction ends, and end the other."""
    tasks = {first, asyncio.ensure_future(second)}
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
