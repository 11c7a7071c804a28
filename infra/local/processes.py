"""Child processes that never outlive us, however we end."""

import atexit
import math
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from secrets import randbelow
from types import FrameType
from typing import NoReturn

# Run by ``sh`` once the kernel knows that it must die with us ($0 is our pid). Had we died just
# before, nobody would tell it: it then has another parent, and goes.
_IF_STILL_OURS = '[ "$PPID" = "$0" ] && exec "$@"'


class Child:
    """A running child process, which writes to a log file.

    It has a session of its own, so a Ctrl-C in the terminal reaches us and not it: it ends by
    ``stop``, or killed when the interpreter exits. On Linux the kernel kills it when we die of
    anything else, ``kill -9`` included (PR_SET_PDEATHSIG, by util-linux's ``setpriv``); elsewhere
    a ``kill -9`` of us leaves it running.

    Not a ``subprocess.Popen``: a Ctrl-C that meets its ``poll`` can leave its lock taken, and then
    the ``wait`` of the clean-up never returns. Nothing here takes a lock.
    """

    def __init__(
        self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Start ``argv``; ``env`` replaces our environment, and the log is appended to.

        Raises:
            OSError: the log cannot be written; a program that cannot be run says so in the log.
        """
        self.pid = 0
        self.log = log
        self._ended = False
        _in_launcher(lambda: self._start([*_tether(), *argv], env))

    @property
    def running(self) -> bool:
        """Whether it has not ended; a paused process counts as running."""
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:  # its end was told before, to one who was interrupted
                self._ended = True
        return not self._ended

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

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, and kill it after ``grace`` seconds; nothing happens if it has ended."""
        self._send(signal.SIGTERM)
        self.resume()  # a paused process does not see the request
        if not self.wait(grace):
            self.kill()
        atexit.unregister(self.kill)

    def wait(self, timeout: float = math.inf) -> bool:
        """Wait ``timeout`` seconds for its end; return whether it came."""
        give_up = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.005)
        return True

    def log_tail(self, lines: int = 12) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _start(self, argv: list[str], env: Mapping[str, str] | None) -> None:
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.pid = os.posix_spawnp(
            argv[0],
            argv,
            os.environ if env is None else env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.fspath(self.log), append, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGPIPE],  # Python ignores it; other programs should not
        )
        atexit.register(self.kill)  # in this thread no signal handler can come between

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)


def _tether() -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    return [setpriv, "--pdeathsig", "KILL", "/bin/sh", "-c", _IF_STILL_OURS, str(os.getpid())]


def _in_launcher(work: Callable[[], None]) -> None:
    """Do the work in the one thread that starts children, and raise what it raises.

    For the kernel, the parent is the *thread* that forked. Children started by a passing thread
    (an ``asyncio.to_thread``) would be killed when that ends; this one lasts as long as we do.
    """
    outcome: SimpleQueue[Exception | None] = SimpleQueue()

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            outcome.put(error)
        else:
            outcome.put(None)

    _launcher().put(run)
    if (error := outcome.get()) is not None:
        raise error


@cache
def _launcher() -> SimpleQueue[Callable[[], None]]:
    """Return the queue of the launcher, a daemon: the exit does not wait for it."""
    queue: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def serve() -> None:
        while True:
            queue.get()()

    threading.Thread(target=serve, name="launcher", daemon=True).start()
    return queue


os.register_at_fork(after_in_child=_launcher.cache_clear)  # threads do not survive a fork


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
