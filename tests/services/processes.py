"""Our services as processes of their own, to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.settings import Settings, environment
from tests.secured.session import as_user
from tests.services.warm import COVERED, Forked, fork


class Process:
    """One ``perennial`` command, with its log."""

    def __init__(
        self, settings: Settings, log: Path, *arguments: str, cwd: Path | None = None
    ) -> None:
        env = {**os.environ, **environment(as_user(settings, arguments[0]))}
        self._process = _started(arguments, env, log, cwd)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ended(self, within_s: float) -> int:
        """Wait for its end by itself; return its exit status."""
        try:
            return self._process.wait(within_s)
        finally:
            self._process.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def ask(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, within_s: float) -> int:
        """Return its exit status once it has ended; fail after ``within_s`` seconds."""
        return self._process.wait(within_s)

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        if self.alive:
            self._process.terminate()
        try:
            return self._process.wait(30)
        finally:
            self._process.kill()


def _started(
    arguments: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path | None
) -> "subprocess.Popen[bytes] | Forked":
    """Start a command; by itself where its coverage is measured, else from one that is warm."""
    if COVERED not in env:
        return fork(arguments, env, log, cwd)
    with log.open("ab") as out:
        command = [sys.executable, "-m", "infra.cli", *arguments]
        return subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT, cwd=cwd)


@contextmanager
def process(
    settings: Settings, log: Path, *arguments: str, cwd: Path | None = None
) -> Iterator[Process]:
    """Run a command beside the test and end it afterwards."""
    started = Process(settings, log, *arguments, cwd=cwd)
    try:
        yield started
    finally:
        started.stop()
