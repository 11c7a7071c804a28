"""How long is trained: seconds, steps or whichever is spent first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter


class Budget:
    """Counts the steps and the time inside them; what happens between them is free.

    Args:
        seconds: the most time; None for any.
        steps: the most steps; None for any.
        clock: gives the seconds.

    Raises:
        ValueError: neither is given, or one is not above 0.
    """

    def __init__(
        self,
        seconds: float | None = None,
        steps: int | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        limits = [limit for limit in (seconds, steps) if limit is not None]
        if not limits or min(limits) <= 0:
            raise ValueError(f"expected seconds or steps above 0, got {seconds} and {steps}")
        self._most_seconds = seconds
        self._most_steps = steps
        self._clock = clock
        self.seconds = 0.0
        self.steps = 0

    @property
    def share(self) -> float:
        """How much is spent, from 0 to 1 and, by the last step, a little above."""
        time = 0.0 if self._most_seconds is None else self.seconds / self._most_seconds
        steps = 0.0 if self._most_steps is None else self.steps / self._most_steps
        return max(time, steps)

    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.share >= 1

    @contextmanager
    def step(self) -> Iterator[None]:
        """Charge what is done inside as one step."""
        started = self._clock()
        yield
        self.seconds += self._clock() - started
        self.steps += 1
