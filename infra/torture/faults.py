"""What one run does to the system, and when: a schedule that its seed decides alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

import numpy as np


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run.

    Attributes:
        seconds: how long it publishes and hurts.
        every_s: mean time between two faults.
        seed: decides the traffic, the faults and what people say.
        only_rebalances: whether workers and streams only join and leave.
    """

    seconds: float
    rate: float
    every_s: float
    seed: int
    only_rebalances: bool = False


WORKERS = ("worker", "worker-2")
STREAMS = ("streams", "streams-2")
SERVICES = (*WORKERS, *STREAMS)
REDIS, BROKER = "redis", "broker"
GUESTS = ("worker-3", "streams-3")
"""What joins and leaves again."""

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 25.0
_LONGEST_OUTAGE_S = 8.0
_SHORTEST_STAY_S, _LONGEST_STAY_S = 10.0, 25.0


class Act(StrEnum):
    """What is done to a victim."""

    KILL = "killed (-9)"
    TERMINATE = "asked to end"
    PAUSE = "paused"
    EMPTY = "killed (-9), comes back empty"
    THIN = "loses a third of its entries"
    JOIN = "joins, then leaves"


@dataclass(frozen=True, slots=True)
class Fault:
    """One act.

    Attributes:
        at_s: seconds after the first frame.
        for_s: how long a pause, an outage or a visit lasts; 0 where the act has no length.
    """

    at_s: float
    act: Act
    victim: str
    for_s: float = 0.0

    def __str__(self) -> str:
        length = f" for {self.for_s:.1f} s" if self.for_s else ""
        return f"{self.victim} {self.act}{length}"


def faults_of(plan: RunPlan, *, broker_keeps: bool) -> list[Fault]:
    """Return the faults of a run."""
    if plan.only_rebalances:
        return rebalances(plan.seconds, plan.every_s)
    return schedule(plan.seed, plan.seconds, plan.every_s, broker_keeps=broker_keeps)


def schedule(seed: int, seconds: float, every_s: float, *, broker_keeps: bool) -> list[Fault]:
    """Return faults of every kind in random order; none comes twice before all came once.

    A broker that keeps nothing, the embedded one, is paused alone: after a pause in which workers
    came and went it once let no worker into their group again, a new process neither.

    Args:
        seed: the same one plans the same faults.
        seconds: no fault begins or lasts after it.
        every_s: mean time between two.
        broker_keeps: whether the broker's records survive its death; else it is only paused.
    """
    rng = np.random.default_rng(seed)
    deck = _deck(broker_keeps=broker_keeps)
    planned: list[Fault] = []
    at = every_s
    for act, victim in _dealt(rng, deck):
        length = _length(rng, act, victim)
        alone = victim == BROKER and not broker_keeps
        if alone:
            at = max([at, *(fault.at_s + fault.for_s for fault in planned)])
        if at >= seconds:
            return planned
        planned.append(Fault(round(at, 2), act, victim, round(min(length, seconds - at), 2)))
        at += float(rng.uniform(0.5, 1.5)) * every_s + (length if alone else 0)
    return planned


def rebalances(seconds: float, every_s: float) -> list[Fault]:
    """Return visits of a worker and of streams in turn: a join or a leave each ``every_s``."""
    visits = int(seconds / (2 * every_s))
    return [
        Fault((2 * number + 1) * every_s, Act.JOIN, guest, every_s)
        for number, guest in zip(range(visits), cycle(GUESTS), strict=False)
    ]


def _deck(*, broker_keeps: bool) -> list[tuple[Act, str]]:
    of_services = [(a, s) for s in SERVICES for a in (Act.KILL, Act.PAUSE, Act.TERMINATE)]
    of_redis = [(act, REDIS) for act in (Act.KILL, Act.EMPTY, Act.PAUSE, Act.THIN)]
    of_broker = [(Act.PAUSE, BROKER), *([(Act.KILL, BROKER)] if broker_keeps else [])]
    return [*of_services, *of_redis, *of_broker, *((Act.JOIN, guest) for guest in GUESTS)]


def _dealt(rng: np.random.Generator, deck: Sequence[tuple[Act, str]]) -> Iterator[tuple[Act, str]]:
    while True:
        for index in rng.permutation(len(deck)):
            yield deck[index]


def _length(rng: np.random.Generator, act: Act, victim: str) -> float:
    if act is Act.PAUSE:
        return float(rng.uniform(_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S))
    if act is Act.JOIN:
        return float(rng.uniform(_SHORTEST_STAY_S, _LONGEST_STAY_S))
    if act is Act.EMPTY or (act is Act.KILL and victim in (REDIS, BROKER)):
        return float(rng.uniform(0.5, _LONGEST_OUTAGE_S))
    return 0.0
