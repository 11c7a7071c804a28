"""Runs a service with its pages: ``/metrics``, ``/healthz`` (it moves), ``/readyz`` (it works)."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)

from access.patience import Patience, unless
from access.rights import Role
from client.access import check_access
from client.admin import check_topics
from client.reading.examined import examine_batches
from client.reading.second_reader import second_reader
from schemas.access import SecurityProtocol
from schemas.errors import Crashed, DependencyDown, SetupError
from schemas.health import Health
from schemas.metrics import Metrics
from schemas.runtime import Runtime
from schemas.settings import Settings

Run = Callable[[Runtime, asyncio.Event], Awaitable[None]]
"""A service: it runs until the event is set."""

END_WITHIN_S = 12.0
"""How long a service may take to end after SIGTERM, or after it crashed."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger(__name__)
PART = "access"
"""How readiness names it."""

_EVERY_S = 10.0
_AGAIN_S = 2.0


@asynccontextmanager
async def access_watched(runtime: Runtime, role: Role) -> AsyncIterator[None]:
    """Look at the access of a role again and again, beside what is done in the block.

    Clients say that a connection failed, and keep to themselves that it was for a password; a
    right may be taken away while they wait. So each look logs in anew, and asks for the rights.
    """
    if runtime.settings.kafka_security_protocol is SecurityProtocol.PLAINTEXT:
        yield
        return
    watching = asyncio.ensure_future(_watch(runtime, role))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(runtime: Runtime, role: Role) -> None:
    said: str | None = None
    while True:
        problem: str | None = None
        try:
            await asyncio.to_thread(check_access, runtime.settings, role)
        except (DependencyDown, SetupError) as error:
            problem = str(error)
            runtime.health.down(PART, problem)
        else:
            runtime.health.up(PART)
        if problem != said:
            _log.warning("access: %s", problem or "granted again")
        said = problem
        await asyncio.sleep(_EVERY_S if problem is None else _AGAIN_S)


def serve(name: str, port: int, settings: Settings, run: Run) -> None:
    """Run a service until it ends or SIGINT or SIGTERM asks it to; a second signal insists.

    Args:
        name: of the service, for messages; ``PERENNIAL_<NAME>_PORT`` is its port setting.
        port: where the pages are served, on ``settings.http_host``; 0: any free port.
        run: the service; it ends soon after the event it is given is set.

    Raises:
        SetupError: the port is taken.
        Crashed: ``run`` ended though nobody asked it to.
        PerennialError: whatever ``run`` raises.
    """
    examine_batches()
    serving = threading.Event()
    serving.set()
    try:
        asyncio.run(_serve(name, port, settings, run, partial(_end_within, name, serving)))
    finally:
        serving.clear()


def on_checked_topics(run: Run, role: Role) -> Run:
    """Return ``run`` with checks before it; where the check of topics fails, it never begins.

    While the broker does not answer, refuses us, or has not granted the rights of ``role``, the
    checks wait and the health says so. Access is looked at while it runs, too.

    Raises:
        SetupError: (what is returned) a topic is not as it must be, see ``check_topics``.
    """

    def is_down(error: BaseException) -> bool:
        return isinstance(error, DependencyDown)

    async def checked(runtime: Runtime, stop: asyncio.Event) -> None:
        async def check() -> None:
            await asyncio.to_thread(check_access, runtime.settings, role)
            await asyncio.to_thread(check_topics, runtime.settings)

        if await unless(stop, Patience(runtime)("topics", check, is_down)):
            async with access_watched(runtime, role):
                await run(runtime, stop)

    return checked


async def _serve(
    name: str, port: int, settings: Settings, run: Run, end: Callable[[], None]
) -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    metrics = Metrics(registry)
    health = Health(metrics)
    second, stop = second_reader(settings), asyncio.Event()
    async with pages(name, settings.http_host, port, registry, health) as address:
        task = asyncio.ensure_future(run(Runtime(settings, metrics, health, second), stop))
        with _stopped_by_signals(name, stop, task, end):
            _log.info("%s: %s/metrics, /healthz, /readyz", name, address)
            if not is_loopback(settings.http_host):
                _log.warning(
                    "%s: whoever reaches %s reads these pages, which have no password "
                    "(PERENNIAL_HTTP_HOST)",
                    name,
                    settings.http_host,
                )
            await _ended(name, stop, task, end)
    _log.info("%s: stopped", name)


async def _ended(
    name: str, stop: asyncio.Event, task: asyncio.Future[None], end: Callable[[], None]
) -> None:
    """Wait for the service. Whichever way it ends, its process ends soon after.

    Raises:
        Crashed: it ended though nobody had asked it to.
    """
    try:
        await task
    except asyncio.CancelledError:
        if not stop.is_set():
            raise Crashed(f"{name}: cancelled, and not by us") from None
    finally:
        end()
    if not stop.is_set():
        raise Crashed(f"{name}: ended, though nobody asked it to")


@asynccontextmanager
async def pages(
    name: str, host: str, port: int, registry: CollectorRegistry, health: Health
) -> AsyncIterator[str]:
    """Serve the three pages and yield their address.

    Raises:
        SetupError: the port is taken.
    """
    runner = web.AppRunner(_app(name, registry, health), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SetupError(
                f"{name}: cannot listen on {host}:{port} ({error.strerror}): set PERENNIAL_"
                f"{name.upper()}_PORT to a free port (0 takes any), or PERENNIAL_HTTP_HOST"
            ) from error
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _app(name: str, registry: CollectorRegistry, health: Health) -> web.Application:
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def healthz(_: web.Request) -> web.Response:
        if health.stall is not None:
            return web.json_response({"status": health.stall}, status=503)
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        # A service that has named no part yet has not begun to start.
        report = health.report() or {name: "starting"}
        return web.json_response(report, status=200 if health.ready else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _stopped_by_signals(
    name: str, stop: asyncio.Event, task: asyncio.Future[None], end: Callable[[], None]
) -> Iterator[None]:
    def ask() -> None:
        end()
        if stop.is_set():
            task.cancel()
        else:
            _log.info("%s: stopping; once more to insist", name)
            stop.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, ask)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _end_within(name: str, serving: threading.Event) -> None:
    """End the process in :data:`END_WITHIN_S`, whatever a client library still waits for then.

    What was not committed is read again, so nothing is lost by it. A thread does it, for the event
    loop may be what is stuck; it does nothing where serving was only a part of a longer program.
    """

    def end() -> None:
        if serving.is_set() or not threading.main_thread().is_alive():
            _log.error("%s: not ended %g s after it had to: cut off", name, END_WITHIN_S)
            logging.shutdown()
            os._exit(1)

    timer = threading.Timer(END_WITHIN_S, end)
    timer.daemon = True
    timer.start()
