"""The whole of Perennial on this machine: broker, Redis, topics, workers and streams."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlunsplit

from rich.table import Table

from client.admin import check_topics, create_topics
from infra.console import err
from infra.local.embedded import Services, services
from infra.local.processes import ClaimedPort
from infra.local.supervisor import Say, Service, Supervisor
from schemas.access import SecurityProtocol
from schemas.choices import BrokerKind
from schemas.errors import SetupError
from schemas.settings import Settings, environment

_READY_WITHIN_S = 120.0
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, never bound
_ANY_REDIS = {"redis_url", "redis_timeout_s"}  # the other settings are of users and certificates
_OF_OUR_OWN = "of our own listens on 127.0.0.1 only, without users and without TLS: name one in"


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. ``settings`` has every address filled in."""

    settings: Settings
    base: Services
    workers: tuple[Service, ...]
    streams: Service

    @property
    def services(self) -> tuple[Service, ...]:
        """Every service of ours."""
        return (*self.workers, self.streams)


def addresses(running: Stack) -> Table:
    """Return where everything is, as lines that another shell can take over."""
    grid = Table.grid(padding=(0, 2, 0, 1))
    exported = {
        name: value
        for name, value in environment(running.settings).items()
        if name.endswith(("_SERVERS", "_URL", "_PREFIX")) and value
    }
    for name, value in exported.items():
        grid.add_row("", f"export {name}={value}")
    for service in running.services:
        grid.add_row(service.name, f"{service.url}/metrics  /healthz  /readyz")
    return grid


@contextmanager
def stack(
    settings: Settings,
    *,
    workers: int = 1,
    run_dir: Path,
    say: Say = lambda _: None,
    broker: BrokerKind | None = None,
) -> Iterator[Stack]:
    """Run everything that ``settings`` does not name an address of, and stop it at the end.

    Args:
        settings: ports that are 0 or taken are replaced by free ones; more workers get such.
        workers: how many embedding workers share the frames, and the processor's cores.
        say: hears, line by line, what is being waited for and what had to be started again.
        broker: which broker to run, if any; without it, the one that the settings say.

    Raises:
        SetupError: a part does not start (the message shows the end of its log), or a topic of a
            named broker is not as it must be.
        DependencyDown: a named broker does not answer.
    """
    refuse_secured_own(settings)
    run_dir.mkdir(parents=True, exist_ok=True)
    say("starting the broker and Redis")
    with services(
        settings.kafka_bootstrap_servers,
        settings.redis_url,
        run_dir,
        broker=settings.broker if broker is None else broker,
        kafka_jars=settings.kafka_jars,
    ) as base:
        filled = settings.model_copy(
            update={
                "kafka_bootstrap_servers": base.kafka,
                "redis_url": base.redis,
                "threads": _threads(settings, workers),
            }
        )
        say("creating the topics")
        create_topics(filled)
        check_topics(filled)
        crew = [_worker(filled, number, run_dir) for number in range(workers)]
        streams = service("streams", filled, filled.streams_port, run_dir)
        supervisor = Supervisor([*crew, streams], say)
        try:
            supervisor.start(_READY_WITHIN_S)
            yield Stack(filled, base, tuple(crew), streams)
        finally:
            supervisor.stop()


def refuse_secured_own(settings: Settings) -> None:
    """Refuse users and certificates where no address is named: nobody would ask for them."""
    secured = settings.kafka_security_protocol is not SecurityProtocol.PLAINTEXT
    if secured and settings.kafka_bootstrap_servers is None:
        raise SetupError(
            f"a broker {_OF_OUR_OWN} PERENNIAL_KAFKA_BOOTSTRAP_SERVERS, or leave out "
            "PERENNIAL_KAFKA_SECURITY_PROTOCOL"
        )
    named = {n for n in type(settings).model_fields if n.startswith("redis_")} - _ANY_REDIS
    if settings.redis_url is None and any(getattr(settings, n) is not None for n in named):
        raise SetupError(f"a Redis {_OF_OUR_OWN} PERENNIAL_REDIS_URL")


def _worker(settings: Settings, number: int, run_dir: Path) -> Service:
    if number == 0:
        return service("worker", settings, settings.worker_port, run_dir)
    return service(f"worker-{number + 1}", settings, 0, run_dir)


def service(name: str, settings: Settings, wanted: int, run_dir: Path) -> Service:
    """Prepare a service; its command is its name up to a hyphen, its port ``wanted`` if free."""
    command = name.split("-")[0]
    claim = ClaimedPort(wanted)
    env = environment(settings.model_copy(update={f"{command}_port": claim.port}))
    host = "127.0.0.1" if settings.http_host in _EVERYWHERE else settings.http_host
    url = urlunsplit(("http", f"{host}:{claim.port}", "", "", ""))
    return Service(name, [command], env, run_dir, url, claim)


def _threads(settings: Settings, workers: int) -> int:
    if settings.threads is not None:
        return settings.threads
    return max(1, len(os.sched_getaffinity(0)) // workers)


class LogFolder:
    """Where the processes of one run log; ``keep`` says that somebody will want to read it."""

    def __init__(self, name: str) -> None:
        self.path = Path(mkdtemp(prefix=f"perennial-{name}-"))
        self.keep = False


@contextmanager
def run_folder(name: str) -> Iterator[LogFolder]:
    """Make a folder; leave it, and say where it is, when an error ends the run."""
    folder = LogFolder(name)
    try:
        yield folder
    except Exception:
        folder.keep = True
        raise
    finally:
        if folder.keep:
            err.print(f"The logs are in {folder.path}", style="yellow")
        else:
            shutil.rmtree(folder.path, ignore_errors=True)
