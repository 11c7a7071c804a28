"""The account of a run: what was sent, what came of it, and what does not add up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.torture.memory import MemoryTrend


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often a service was started again, and how many of its deaths were ours."""

    times: int
    by_us: int

    @property
    def by_itself(self) -> int:
        """Restarts that no fault explains: the service, or its supervisor, gave up on it."""
        return max(0, self.times - self.by_us)


@dataclass(frozen=True, slots=True)
class Account:
    """The end of a run.

    Attributes:
        broker: what was done to it, and what was not.
        published: records that the broker acknowledged, without ``repeats``.
        bad: those of them that nobody can use.
        outcomes: how many, by kind; at least one for each record.
        certain: outcomes of which the gallery of their moment says what had to be found.
        lost: records without any outcome.
        wrong: outcomes that cannot be true.
        decided: where the gallery departs from what was decided.
        returned: erased entries that came back, if only for a while.
        in_redis: where Redis departs from the gallery, entry by entry.
        waits_s: median, 95th percentile and longest wait of a record for its first outcome.
        stall: the longest time without an outcome on a partition while its records waited.
        slowest_end_s: longest time from SIGTERM to the end, by service.
        memory: in MiB.
    """

    seed: int
    seconds: float
    broker: str
    published: int
    repeats: int
    bad: int
    outcomes: Mapping[str, int]
    certain: int
    decisions: int
    commands: int
    entries: int
    faults: Mapping[str, int]
    spared: int
    restarts: Mapping[str, Restarts]
    waits_s: tuple[float, float, float]
    stall: str
    stall_s: float
    slowest_end_s: Mapping[str, float]
    memory: Mapping[str, MemoryTrend]
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    in_redis: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost or wrong, and nothing differs."""
        return not (self.lost or self.wrong or self.decided or self.returned or self.in_redis)

    def as_json(self) -> dict[str, Any]:
        """Return everything, and ``clean``."""
        return {**asdict(self), "clean": self.clean}


def restarts(pids: Mapping[str, set[int]], ours: Counter[str]) -> dict[str, Restarts]:
    """Return the restarts of each service from the processes that it had."""
    return {name: Restarts(len(seen) - 1, ours[name]) for name, seen in sorted(pids.items())}
