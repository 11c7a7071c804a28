"""What a run has gathered, made into its account."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infra.torture.account import Account, restarts
from infra.torture.curator import Curator
from infra.torture.faults import BROKER, SERVICES, Act
from infra.torture.history import History
from infra.torture.memory import MemoryDiary
from infra.torture.plan import RunPlan
from infra.torture.register import Register
from infra.torture.stalls import Stall, longest_stall, under_way
from infra.torture.verdicts import judge
from infra.torture.victims import Victims

_KEEPS = "Apache Kafka, one node"
_FORGETS = "embedded, which keeps everything in memory: never killed"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was written down during a run."""

    plan: RunPlan
    began: float
    register: Register
    history: History
    curator: Curator
    victims: Victims
    pids: Mapping[str, set[int]]
    memory: MemoryDiary
    broker_keeps: bool

    def account(self, decided: list[str], in_redis: list[str]) -> Account:
        """Return the account, given what differed at the very end."""
        judged = judge(self.register, self.history)
        stall = longest_stall(self.register.stays())
        parcels = self.register.parcels.values()
        return Account(
            seed=self.plan.seed,
            seconds=self.plan.seconds,
            broker=self._broker(),
            published=len(parcels),
            repeats=self.register.repeats + self.curator.repeats,
            bad=sum(parcel.outbound.flaw is not None for parcel in parcels),
            outcomes=dict(self.register.outcomes),
            certain=judged.certain,
            decisions=self.curator.decisions,
            commands=self.curator.commands,
            entries=len(self.history.now),
            faults=dict(sorted(self.victims.done.items())),
            spared=self.victims.skipped,
            restarts=restarts(
                {name: self.pids[name] for name in SERVICES if name in self.pids},
                self.victims.killed,
            ),
            waits_s=self._waits(),
            stall="" if stall is None else self._where(stall),
            stall_s=0.0 if stall is None else stall.for_s,
            slowest_end_s=dict(sorted(self.victims.ends.items())),
            memory=self.memory.trends(),
            lost=judged.lost,
            wrong=judged.wrong,
            decided=decided,
            returned=self.history.returned,
            in_redis=in_redis,
        )

    def _broker(self) -> str:
        """Return what broker it was, and what was done to it."""
        done = [
            f"{act} {self.victims.done[kind]} times"
            for act in (Act.KILL, Act.PAUSE)
            if self.victims.done[kind := f"{BROKER} {act}"]
        ]
        return "; ".join([_KEEPS if self.broker_keeps else _FORGETS, *done])

    def _where(self, stall: Stall) -> str:
        """Return where it was, when, and which faults were under way."""
        when = f"{stall.lane} from {stall.from_s - self.began:.0f} s on"
        return "; ".join([when, *under_way(stall, self.victims.past)])

    def _waits(self) -> tuple[float, float, float]:
        waits = [stay.ended_at - stay.sent_at for stay in self.register.stays()]
        ended = [wait for wait in waits if wait < math.inf] or [0.0]
        median, most, longest = np.percentile(ended, [50, 95, 100])
        return float(median), float(most), float(longest)
