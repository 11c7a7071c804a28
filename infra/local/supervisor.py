"""Services of ours as child processes: started again when they end or are no longer live."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from client.service_pages import ailing, waiting_for
from infra.local.processes import ClaimedPort, Program
from schemas.errors import SetupError

Say = Callable[[str], None]

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_STEADY_S = 60.0  # who lived this long is forgiven what came before
_LOOK_EVERY_S = 0.2
_ASK_EVERY_S = 2.0
_ENDED = "ended by itself"

AILING_S = 25.0
"""How long ``/healthz`` may fail or stay silent, time after time, before a service is restarted."""

START_S = 120.0
"""How long it may take to serve ``/healthz`` at all after its process was started."""


class Service(Program):
    """One `perennial` service in a process of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        run_dir: Path,
        url: str,
        claim: ClaimedPort | None = None,
    ) -> None:
        """Prepare ``perennial COMMAND`` with ``env`` added to our environment."""
        super().__init__(name, run_dir / f"{name}.log")
        self.url = url
        self._claim = claim
        self._argv = [sys.executable, "-m", "infra.cli", *command]
        self._env = {**os.environ, **env}
        self._started_at = 0.0
        self._asked_at = 0.0
        self._patient_until = 0.0
        self._pause = _FIRST_PAUSE_S
        self.restarts = 0

    def start(self) -> None:
        """Start it; :func:`await_ready` tells when it is of use."""
        self.launch(self._argv, self._env)
        self._started_at = self._asked_at = time.monotonic()
        self._patient_until = self._started_at + START_S

    def stop(self) -> None:
        """Stop it for good: others may have its port."""
        super().stop()
        if self._claim is not None:
            self._claim.release()

    def restart(self) -> None:
        """Start it again, after killing what is left of it; counted in ``restarts``."""
        if self.running:
            self.kill()
        self.restarts += 1
        self.start()

    def wrong(self) -> str | None:
        """Return why it must be restarted; ``None`` while it lives. Asks it every two seconds."""
        if not self.running:
            return _ENDED
        now = time.monotonic()
        if now - self._asked_at < _ASK_EVERY_S:
            return None
        self._asked_at = now
        problem = ailing(self.url)
        if problem is None:
            self.answered()
            return None
        return problem if now > self._patient_until else None

    def answered(self) -> None:
        """Note that it is live now: from here on it may be ailing for :data:`AILING_S`."""
        self._patient_until = time.monotonic() + AILING_S

    def pause_before_revival(self) -> float:
        """Return how many seconds to wait before starting it again, twice as long each time."""
        if time.monotonic() - self._started_at > _STEADY_S:
            self._pause = _FIRST_PAUSE_S
        pause = self._pause
        self._pause = min(2 * pause, _LONGEST_PAUSE_S)
        return pause


class Supervisor:
    """Starts services together, keeps them alive and stops them together."""

    def __init__(self, services: Sequence[Service], say: Say) -> None:
        self.services = services
        self._say = say
        self._ending = threading.Event()
        self._watches = [threading.Thread(target=self._keep, args=(s,)) for s in services]

    def start(self, timeout: float) -> None:
        """Start all and wait until each is ready; from then on they are revived.

        Raises:
            SetupError: one ended or is not ready after ``timeout`` seconds; shows its log's end.
        """
        for service in self.services:
            service.start()
        give_up = time.monotonic() + timeout
        for service in self.services:
            self._await_ready(service, give_up)
        for watch in self._watches:
            watch.start()

    def stop(self) -> None:
        """Stop all at once."""
        self._ending.set()
        for watch in self._watches:
            if watch.ident is not None:
                watch.join()
        with ThreadPoolExecutor(len(self.services)) as pool:
            list(pool.map(Service.stop, self.services))

    def _await_ready(self, service: Service, give_up: float) -> None:
        while (problem := waiting_for(service.url)) is not None:
            self._say(f"waiting for {service.name}: {problem}")
            late = time.monotonic() > give_up
            if late or not service.running:
                what = f"is not ready ({problem})" if late else "ended"
                raise SetupError(
                    f"{service.name} {what}; the end of {service.log}:\n{service.log_tail()}"
                )
            time.sleep(_LOOK_EVERY_S)
        service.answered()

    def _keep(self, service: Service) -> None:
        while not self._ending.wait(_LOOK_EVERY_S):
            problem = service.wrong()
            if problem is None:
                continue
            pause = service.pause_before_revival()
            self._say(
                f"{service.name} {problem}; restart {service.restarts + 1} in {pause:g} s"
                f" ({service.log})"
            )
            if self._ending.wait(pause):
                return
            service.restart()
