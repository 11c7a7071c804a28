"""What ``/readyz`` and ``/healthz`` say: the parts waited for, and whether work stands still."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.metrics import Metrics


class Health:
    """Readiness of one service: ready when all its parts are up."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.dependency_up
        self._stalled = metrics.stalled
        self._stalled.set(0)
        self.stall: str | None = None
        self._problems: dict[str, str | None] = {}

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

    def stands_still(self, why: str | None) -> None:
        """Say that work stands still, and where; ``None``: it does not."""
        self.stall = why
        self._stalled.set(0 if why is None else 1)

    @property
    def held_up(self) -> bool:
        """Whether a part does not answer, so that work has to wait for it."""
        return any(problem is not None for problem in self._problems.values())


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """One partition that a service owns, at one instant.

    Attributes:
        committed: its committed offset; ``None`` if none is known.
        waiting: whether there are records that are not read, or read and not committed.
    """

    committed: int | None
    waiting: bool


class Stall:
    """Notices a partition that stands still: records wait, nothing is down, none is committed.

    Feed it about once a second. It cannot tell work that is very slow from work that stands still:
    ``after_s`` must be longer than any batch takes.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._committed: dict[str, int | None] = {}
        self._moved_s: dict[str, float] = {}

    def see(
        self, now_s: float, places: Mapping[str, PartitionProgress], *, held_up: bool
    ) -> str | None:
        """Return which partition stands still, and since when; ``None`` if none does.

        Args:
            now_s: the time, in seconds of any clock that does not go back.
            places: all partitions that are owned now, by name; one that is missing is forgotten.
            held_up: whether a dependency is down: then nothing is expected to move.
        """
        for name in self._moved_s.keys() - places.keys():
            del self._moved_s[name]
            self._committed.pop(name, None)
        for name, place in places.items():
            moved = place.committed is not None and place.committed != self._committed.get(name)
            if name not in self._moved_s or moved or not place.waiting or held_up:
                self._moved_s[name] = now_s
            if place.committed is not None:
                self._committed[name] = place.committed
        if not self._moved_s:
            return None
        name = min(self._moved_s, key=self._moved_s.__getitem__)
        still_s = now_s - self._moved_s[name]
        if still_s < self._after_s:
            return None
        committed = self._committed.get(name)
        return f"{name} stands still at {committed} for {still_s:.0f} s though records wait"
