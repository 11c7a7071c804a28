"""One server of another make that we run on a loopback port of this machine."""

import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from infra.local.processes import Child, free_port, port_is_free
from schemas.errors import SetupError

# Nothing of ours: Tansu would read the CLUSTER_ID, SCHEMA_REGISTRY and the like of the operator.
ENVIRONMENT = {"NO_COLOR": "1"}


class EmbeddedUnavailable(SetupError):
    """The embedded services cannot run here; the message says what to do."""


class LocalServer(ABC):
    """One server on a fixed loopback port; it can be stopped and started again."""

    name: ClassVar[str]
    start_s: ClassVar[float] = 15.0
    """How long a start may take."""
    grace_s: ClassVar[float] = 0.5
    """How long it may take to end by itself."""

    def __init__(self, run_dir: Path, port: int | None = None) -> None:
        """Prepare a server that logs to ``run_dir``, on ``port`` or, without one, any free port."""
        run_dir.mkdir(parents=True, exist_ok=True)
        self._run_dir = run_dir
        self._child: Child | None = None
        self.port = free_port() if port is None else port

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client connects to."""

    @abstractmethod
    def _argv(self) -> list[str]:
        """Return the command line."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether a client gets its answers, asked once the port is open."""

    @property
    def log(self) -> Path:
        """Where it writes what it does; a restart appends."""
        return self._run_dir / f"{self.name}.log"

    @property
    def running(self) -> bool:
        """Whether its process lives, paused or not."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int:
        """Its process id.

        Raises:
            RuntimeError: it was not started.
        """
        return self._started.pid

    def start(self, timeout: float | None = None) -> None:
        """Start it and wait until it answers; nothing happens if it runs.

        Raises:
            EmbeddedUnavailable: its programs are missing, the port is taken, or it does not answer
                within ``timeout`` seconds; the message shows the end of its log.
        """
        if self.running:
            return
        if not port_is_free(self.port):
            raise EmbeddedUnavailable(
                f"{self.name}: port {self.port} is taken by another program; choose another"
            )
        self._child = Child(self._argv(), self.log, ENVIRONMENT)
        try:
            self._await_answer(self._child, self.start_s if timeout is None else timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, paused or not, and wait for its end; nothing happens if it does not run."""
        if self._child is not None:
            self._child.stop(self.grace_s)

    def restart(self) -> None:
        """Stop it and start it on the same port."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._started.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered."""
        self._started.pause()

    def resume(self) -> None:
        """Let it go on after a pause."""
        self._started.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child

    def _await_answer(self, child: Child, timeout: float) -> None:
        give_up = time.monotonic() + timeout
        while not (_accepts(self.port) and self._answers() and child.running):
            if not child.running or time.monotonic() > give_up:
                raise EmbeddedUnavailable(
                    f"{self.name} did not start; the end of {child.log}:\n{child.log_tail()}"
                )
            time.sleep(0.01)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
