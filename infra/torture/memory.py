"""The memory of each process over time."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import psutil

_MIB = 2**20
_TELLING_S = 300.0


@dataclass(frozen=True, slots=True)
class MemoryTrend:
    """The memory of one service over the lives of its processes, in MiB.

    Attributes:
        early: mean of the second quarter of the longest life.
        late: mean of its last quarter.
        most: over all lives.
        growth_per_hour: slope of the straight line through that life, without its first quarter;
            None where it is too short to tell.
    """

    early: float
    late: float
    most: float
    growth_per_hour: float | None


class MemoryDiary:
    """Samples of (seconds, bytes) for each process of each service."""

    def __init__(self) -> None:
        self._samples: defaultdict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)

    def sample(self, at: float, name: str, pid: int) -> None:
        """Note the resident memory of a process now; nothing where there is none."""
        with suppress(psutil.NoSuchProcess):
            self.note(at, name, pid, psutil.Process(pid).memory_info().rss)

    def note(self, at: float, name: str, pid: int, size: int) -> None:
        """Note the memory of a process, in bytes."""
        self._samples[name, pid].append((at, size))

    def trends(self) -> dict[str, MemoryTrend]:
        """Return the trend of each service, told by the process that lived longest."""
        lives: defaultdict[str, list[list[tuple[float, int]]]] = defaultdict(list)
        for (name, _), samples in self._samples.items():
            lives[name].append(samples)
        return {name: _trend(found) for name, found in sorted(lives.items())}


def _trend(lives: list[list[tuple[float, int]]]) -> MemoryTrend:
    longest = max(lives, key=lambda samples: samples[-1][0] - samples[0][0])
    at, size = (np.asarray(column, float) for column in zip(*longest, strict=True))
    quarter = len(size) // 4
    settled_at, settled = at[quarter:], size[quarter:] / _MIB
    growth = None
    if np.ptp(settled_at) > _TELLING_S:
        growth = float(np.polyfit(settled_at, settled, 1)[0]) * 3600
    return MemoryTrend(
        early=float(settled[: max(1, quarter)].mean()),
        late=float(settled[-max(1, quarter) :].mean()),
        most=max(size for samples in lives for _, size in samples) / _MIB,
        growth_per_hour=growth,
    )
