"""The system that is tortured: a broker, a Redis, two workers, two streams and their supervisor."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from client.admin import create_topics
from infra.local.embedded import EmbeddedRedis, services
from infra.local.local_server import LocalBroker, LocalServer
from infra.local.stack import refuse_secured_own, service
from infra.local.supervisor import Say, Service, Supervisor
from infra.torture.faults import SERVICES
from infra.torture.model import write_cheap_model
from schemas.settings import Settings

_READY_WITHIN_S = 180.0
_NEVER = 10**6
_OFTEN_KNOWN = 0.1  # a false positive is no fault here: most frames are to be identified


class LastingRedis(EmbeddedRedis):
    """A Redis that writes every command to disk: it comes back with its data, or without."""

    def forget(self) -> None:
        """Remove the data of a server that does not run."""
        shutil.rmtree(self._run_dir / "appendonlydir", ignore_errors=True)

    def _argv(self) -> list[str]:
        argv = super()._argv()
        argv[argv.index("--appendonly") + 1] = "yes"
        return argv


class Rig:
    """Everything that runs. ``settings`` has every address filled in."""

    def __init__(
        self, settings: Settings, broker: LocalBroker, redis: LastingRedis, run_dir: Path
    ) -> None:
        self.settings = settings
        self.broker = broker
        self.redis = redis
        self.services = {name: self.guest(name, run_dir) for name in SERVICES}
        self.guests: dict[str, Service] = {}
        self.run_dir = run_dir

    def guest(self, name: str, run_dir: Path) -> Service:
        """Prepare a service that is not started yet."""
        return service(name, self.settings, 0, run_dir)

    def pids(self) -> dict[str, int]:
        """Return the process of each service that runs, of the broker and of Redis."""
        running: dict[str, Service | LocalServer] = {
            **self.services,
            **self.guests,
            "redis": self.redis,
            "broker": self.broker,
        }
        return {name: part.pid for name, part in running.items() if part.running}


@contextmanager
def rig(settings: Settings, run_dir: Path, say: Say) -> Iterator[Rig]:
    """Start the system, wait until each part is ready, and stop it at the end.

    Raises:
        SetupError: a part does not start; the message shows the end of its log.
    """
    refuse_secured_own(settings)
    with (
        LastingRedis(run_dir) as redis,
        services(
            redis=redis.address,
            run_dir=run_dir,
            broker=settings.broker,
            kafka_jars=settings.kafka_jars,
        ) as base,
    ):
        if base.broker is None:
            raise RuntimeError("a broker of our own was asked for")
        filled = settings.model_copy(
            update={
                "kafka_bootstrap_servers": base.kafka,
                "redis_url": redis.address,
                "model": write_cheap_model(run_dir / "model"),
                "threads": 1,
                "target_fpir": _OFTEN_KNOWN,
                # What retention takes out, no person has decided.
                "retention_newest": _NEVER,
                "retention_mad": float(_NEVER),
            }
        )
        create_topics(filled)
        running = Rig(filled, base.broker, redis, run_dir)
        supervisor = Supervisor(list(running.services.values()), say)
        try:
            supervisor.start(_READY_WITHIN_S)
            yield running
        finally:
            supervisor.stop()
            for guest in running.guests.values():
                guest.stop()
