"""What one run is asked to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run.

    Attributes:
        seconds: how long it publishes and hurts.
        rate: records published per second.
        every_s: mean time between two faults.
        seed: decides the traffic, the faults and what people say.
        only_rebalances: whether workers and streams only join and leave.
    """

    seconds: float
    rate: float
    every_s: float
    seed: int
    only_rebalances: bool = False
