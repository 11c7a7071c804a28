"""A worker and the streams on secured services, to whom access is then denied in many ways."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from access.rights import Role
from client.service_pages import waiting_for
from infra.local.processes import free_port
from infra.torture.model import write_cheap_model
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from tests.secured.services import SecuredServices
from tests.services.hostile import photograph
from tests.services.kafka import eventually, put
from tests.services.processes import Process
from tests.services.test_conservation import frame, outcomes


@dataclass(frozen=True, slots=True)
class Services:
    """A worker and the streams, each its own user with its least rights, behind proxies."""

    worker: Process
    streams: Process
    worker_url: str
    streams_url: str
    settings: tuple[Settings, ...]
    logs: tuple[Path, ...]
    ca: Path

    def waits(self, url: str, *words: str) -> bool:
        """Tell whether a service says that it waits, in these words."""
        said = waiting_for(url)
        return said is not None and all(word in said for word in words)

    @property
    def ready(self) -> bool:
        return waiting_for(self.worker_url) is None and waiting_for(self.streams_url) is None


@contextmanager
def running_services(secured: SecuredServices, admin: Settings, folder: Path) -> Iterator[Services]:
    """Run a worker and the streams, each its own user with its least rights, behind proxies."""
    ca = folder / "ca.pem"
    ca.write_bytes(secured.authority.ca.read_bytes())
    port, other = free_port(), free_port()
    own = admin.model_copy(
        update={
            **secured.behind_proxy,
            "kafka_security_ca": ca,
            "model": write_cheap_model(folder / "model"),
            "worker_port": port,
            "streams_port": other,
        }
    )
    changed = {**secured.behind_proxy, "kafka_security_ca": ca}
    roles = (Role.WORKER, Role.STREAMS)
    users = tuple(secured.as_role(own, role).model_copy(update=changed) for role in roles)
    logs = tuple(folder / f"{role}.log" for role in roles)
    at = "http://127.0.0.1"
    worker, streams = map(Process, users, logs, map(str, roles))
    try:
        yield Services(worker, streams, f"{at}:{port}", f"{at}:{other}", users, logs, ca)
    finally:
        worker.stop()
        streams.stop()


class Herd:
    """Publishes frames, and tells when each has its outcome."""

    def __init__(self, settings: Settings, found: list[Record]) -> None:
        self._settings = settings
        self._found = found
        self._sent = 0

    async def send(self, count: int = 4) -> None:
        ids = [f"f-{self._sent + number}-{time.time_ns()}" for number in range(count)]
        self._sent += count
        image = photograph(self._sent)
        await put(self._settings, [frame(self._settings, i, image) for i in ids])
        self.wanted = set(ids)

    async def answered(self, within_s: float = 180) -> None:
        await eventually(
            lambda: self.wanted <= outcomes(self._settings, self._found),
            "each frame has its outcome",
            within_s=within_s,
        )
        letters = self._settings.topic(DEAD_LETTERS)
        assert not [r for r in self._found if r.topic == letters], "nothing is a dead letter"
