"""One server of another make, or a single Kafka broker, on a loopback port of this machine."""

import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.local.processes import Program, free_port, port_is_free
from schemas.errors import SetupError

# Nothing of ours: Tansu would read the CLUSTER_ID, SCHEMA_REGISTRY and the like of the operator.
ENVIRONMENT = {"NO_COLOR": "1"}


class EmbeddedUnavailable(SetupError):
    """The embedded services cannot run here; the message says what to do."""


class LocalServer(Program, ABC):
    """One server on a fixed loopback port; it can be stopped and started again."""

    start_s: ClassVar[float] = 15.0
    """How long a start may take."""
    grace_s = 0.5

    def __init__(self, run_dir: Path, port: int | None = None) -> None:
        """Prepare a server that logs to ``run_dir``, on ``port`` or, without one, any free port."""
        run_dir.mkdir(parents=True, exist_ok=True)
        super().__init__(self.name, run_dir / f"{self.name}.log")
        self._run_dir = run_dir
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
        self.launch(self._argv(), ENVIRONMENT)
        try:
            self._await_answer(self.start_s if timeout is None else timeout)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await_answer(self, timeout: float) -> None:
        give_up = time.monotonic() + timeout
        while not (_accepts(self.port) and self._answers() and self.running):
            if not self.running or time.monotonic() > give_up:
                raise EmbeddedUnavailable(
                    f"{self.name} did not start; the end of {self.log}:\n{self.log_tail()}"
                )
            time.sleep(0.01)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class LocalBroker(LocalServer):
    """One broker without replicas."""

    name = "kafka"

    @property
    @abstractmethod
    def keeps(self) -> bool:
        """Whether its records survive ``kill`` and ``start``."""

    @property
    def address(self) -> str:
        """Its bootstrap server, ``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            return len(client.list_topics(timeout=1).brokers) == 1
        except KafkaException:
            return False
