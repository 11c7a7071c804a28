"""The learning rate over a run."""

import math
from collections.abc import Callable


def warm_up_then_cosine(steps: int, warm_up: float) -> Callable[[int], float]:
    """Return the factor of the learning rate at each step, from 0 to 1.

    It rises linearly over the first ``warm_up`` share of the steps and falls by half a cosine to 0
    (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts).
    """
    rising = max(1, round(steps * warm_up))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        progress = (step - rising) / max(1, steps - rising)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return factor
