"""The account of a run: what was sent, what came of it, and what does not add up."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from infra.torture.curator import Curator
from infra.torture.faults import BROKER, SERVICES, Act
from infra.torture.memory import MemoryTrend
from infra.torture.register import Register, judge
from infra.torture.stalls import Standstill, longest_stall, under_way
from infra.torture.victims import Victims

if TYPE_CHECKING:
    from infra.torture.run import TortureRun


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


_KEEPS = "Apache Kafka, one node"
_FORGETS = "embedded, which keeps everything in memory: never killed"


def account_of(
    run: "TortureRun", curator: Curator, decided: list[str], in_redis: list[str]
) -> Account:
    """Return the account of a run, given what differed at the very end."""
    register, victims = run.register, run.victims
    judged = judge(register, run.history)
    stall = longest_stall(register.stays())
    parcels = register.parcels.values()
    return Account(
        seed=run.plan.seed,
        seconds=run.plan.seconds,
        broker=_broker(victims, keeps=run.broker_keeps),
        published=len(parcels),
        repeats=register.repeats + curator.repeats,
        bad=sum(parcel.outbound.flaw is not None for parcel in parcels),
        outcomes=dict(register.outcomes),
        certain=judged.certain,
        decisions=curator.decisions,
        commands=curator.commands,
        entries=len(run.history.now),
        faults=dict(sorted(victims.done.items())),
        spared=victims.skipped,
        restarts=restarts(
            {name: run.pids[name] for name in SERVICES if name in run.pids}, victims.killed
        ),
        waits_s=_waits(register),
        stall="" if stall is None else _where(stall, run.began, victims),
        stall_s=0.0 if stall is None else stall.for_s,
        slowest_end_s=dict(sorted(victims.ends.items())),
        memory=run.memory.trends(),
        lost=judged.lost,
        wrong=judged.wrong,
        decided=decided,
        returned=run.history.returned,
        in_redis=in_redis,
    )


def _broker(victims: Victims, *, keeps: bool) -> str:
    """Return what broker it was, and what was done to it."""
    done = [
        f"{act} {victims.done[kind]} times"
        for act in (Act.KILL, Act.PAUSE)
        if victims.done[kind := f"{BROKER} {act}"]
    ]
    return "; ".join([_KEEPS if keeps else _FORGETS, *done])


def _where(stall: Standstill, began: float, victims: Victims) -> str:
    """Return where it was, when, and which faults were under way."""
    when = f"{stall.lane} from {stall.from_s - began:.0f} s on"
    return "; ".join([when, *under_way(stall, victims.past)])


def _waits(register: Register) -> tuple[float, float, float]:
    waits = [stay.ended_at - stay.sent_at for stay in register.stays()]
    ended = [wait for wait in waits if wait < math.inf] or [0.0]
    median, most, longest = np.percentile(ended, [50, 95, 100])
    return float(median), float(most), float(longest)
