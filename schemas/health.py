"""What ``/readyz`` says: the parts that a service waits for, and whether each is there."""

from schemas.metrics import Metrics


class Health:
    """Readiness of one service: ready when all its parts are up."""

    def __init__(self, metrics: Metrics, *parts: str) -> None:
        self._gauge = metrics.dependency_up
        self._problems: dict[str, str | None] = {}
        for part in parts:
            self.down(part, "not started yet")

    def up(self, part: str) -> None:
        """Say that ``part`` answers."""
        self._problems[part] = None
        self._gauge.labels(part).set(1)

    def down(self, part: str, why: str) -> None:
        """Say that ``part`` does not answer, and why."""
        self._problems[part] = why or "no reason given"
        self._gauge.labels(part).set(0)

    @property
    def ready(self) -> bool:
        """Whether every part is up, and there is any."""
        return bool(self._problems) and all(problem is None for problem in self._problems.values())

    def report(self) -> dict[str, str]:
        """Return ``{part: "ok" or the problem}``."""
        return {part: "ok" if why is None else why for part, why in self._problems.items()}
