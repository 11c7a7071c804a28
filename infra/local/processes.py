"""Child processes that never outlive us, however we end."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from secrets import randbelow
from types import FrameType
from typing import ClassVar, NoReturn

import psutil

# Run by ``sh`` once the kernel knows that it must die with us ($0 is our pid). Had we died just
# before, nobody would tell it: it then has another parent, and goes.
_IF_STILL_OURS = '[ "$PPID" = "$0" ] && exec "$@"'

_TAIL = 12  # lines of a log that an error shows


class Program:
    """A program of a name and a log that can be started again and again: one child at a time.

    The child has a session of its own, so a Ctrl-C in the terminal reaches us and not it: it ends
    by ``stop``, or killed when the interpreter exits. On Linux the kernel kills it when we die of
    anything else, ``kill -9`` included (PR_SET_PDEATHSIG, by util-linux's ``setpriv``); elsewhere
    a ``kill -9`` of us leaves it running.
    """

    name: str
    grace_s: ClassVar[float] = 5.0
    """How long it may take to end by itself."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: psutil.Process | None = None

    def launch(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start ``argv``; ``env`` replaces our environment, and the log is appended to.

        Raises:
            OSError: the log cannot be written; a program that cannot be run says so in the log.
        """
        _launcher().submit(self._spawn, [*_tether(), *argv], env).result()

    @property
    def running(self) -> bool:
        """Whether its process lives, paused or not."""
        return self._process is not None and not self.wait(0)

    @property
    def pid(self) -> int:
        """Its process id, another one after each start.

        Raises:
            RuntimeError: it was not started.
        """
        return self._started.pid

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._send(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """Stop it, paused or not, and wait for its end; nothing happens if it does not run."""
        if self._process is None:
            return
        self._send(signal.SIGTERM)
        self.resume()  # a paused process does not see the request
        if not self.wait(self.grace_s):
            self.kill()
        atexit.unregister(self.kill)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait ``timeout`` seconds for its end; return whether it came."""
        try:
            self._started.wait(timeout)
        except psutil.TimeoutExpired:
            return False
        return True

    def log_tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL:])

    @property
    def _started(self) -> psutil.Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    def _spawn(self, argv: list[str], env: Mapping[str, str] | None) -> None:
        with self.log.open("ab") as log:
            started = subprocess.Popen(
                argv,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # psutil waits for it: a Ctrl-C that meets Popen's own `poll` can leave its lock taken, and
        # then the `wait` of the clean-up never returns. Popen is told that nothing is left to do.
        started.returncode = 0
        self._process = psutil.Process(started.pid)
        atexit.unregister(self.kill)  # of the child before
        atexit.register(self.kill)  # in this thread no signal handler can come between

    def _send(self, number: signal.Signals) -> None:
        if not self.wait(0):
            with suppress(psutil.NoSuchProcess):
                self._started.send_signal(number)


def _tether() -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    return [setpriv, "--pdeathsig", "KILL", "/bin/sh", "-c", _IF_STILL_OURS, str(os.getpid())]


@cache
def _launcher() -> ThreadPoolExecutor:
    """Return the one thread that starts children.

    For the kernel, the parent is the *thread* that forked. Children started by a passing thread
    (an ``asyncio.to_thread``) would be killed when that ends; this one lasts as long as we do.
    """
    return ThreadPoolExecutor(1, thread_name_prefix="launcher")


os.register_at_fork(after_in_child=_launcher.cache_clear)  # threads do not survive a fork


class ClaimedPort:
    """A loopback port that no other run takes while a server of ours is about to listen on it.

    Between the question whether a port is free and the answer of the server that listens lie
    seconds, in which another run may ask the same. So whoever wants the port takes its UDP twin
    first: the kernel gives that to one of them, and takes it back when the process ends.
    """

    def __init__(self, wanted: int) -> None:
        """Claim ``wanted``, or any free port where that is 0, taken or claimed."""
        self._twin = socket.socket(type=socket.SOCK_DGRAM)
        self.port = wanted
        while not (self.port and port_is_free(self.port) and self._claim()):
            self.port = free_port()

    def release(self) -> None:
        """Let others have it."""
        self._twin.close()

    def _claim(self) -> bool:
        try:
            self._twin.bind(("127.0.0.1", self.port))
        except OSError:
            return False
        return True


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a free loopback port.

    It lies below the range of outgoing connections (from 32768 on Linux). So none can take it while
    its server is down, least of all a client trying to come back: on loopback it may even connect
    to itself.
    """
    while not port_is_free(port := 20_000 + randbelow(12_000)):
        pass
    return port


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that every ``finally`` runs.

    Handlers that someone else has set stay; outside the main thread Python allows no handler.
    """
    in_main = threading.current_thread() is threading.main_thread()
    signals = (signal.SIGTERM, signal.SIGHUP) if in_main else ()
    ours = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _exit:
                signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
