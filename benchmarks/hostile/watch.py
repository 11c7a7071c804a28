"""What a process spends on one input: processor time, and memory beyond what it had at rest."""

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_MIB = 2**20
_REST_S = 2.0
_RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds, and the most MiB beyond those at rest."""

    cpu_s: float
    peak_mib: float


class Watched:
    """A running process. It has to rest when this is made: its memory then is what it has.

    Attributes:
        at_rest_mib: that memory.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._folder = Path("/proc") / str(pid)
        began = self._cpu_s()
        time.sleep(_REST_S)
        self._at_rest = (self._cpu_s() - began) / _REST_S
        self.at_rest_mib = self._memory_mib("VmRSS")
        self.begin()

    def begin(self) -> None:
        """Begin to count anew."""
        (self._folder / "clear_refs").write_text(_RESET_PEAK)
        self._began_s = time.monotonic()
        self._began_cpu_s = self._cpu_s()

    def cost(self) -> Cost:
        """Return what was spent since, without what the process spends at rest."""
        at_rest = self._at_rest * (time.monotonic() - self._began_s)
        spent = self._cpu_s() - self._began_cpu_s - at_rest
        return Cost(max(spent, 0.0), max(self._memory_mib("VmHWM") - self.at_rest_mib, 0.0))

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _memory_mib(self, name: str) -> float:
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024 / _MIB
        raise ValueError(f"{self._folder} does not tell {name}")
