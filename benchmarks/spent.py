"""The processor time that each part of a running stack has taken: other work changes it little."""

from collections.abc import Mapping

import psutil

from infra.local.stack import Stack

PARTS = ("broker", "redis", "worker", "streams")


def spent_s(running: Stack) -> dict[str, float]:
    """Return by part the processor seconds since its start; only of what we run ourselves."""
    base = running.base
    own = {"broker": base.broker, "redis": base.redis_server}
    pids = {name: program.pid for name, program in own.items() if program is not None}
    pids |= {"worker": running.workers[0].pid, "streams": running.streams.pid}
    return {name: _of(psutil.Process(pid)) for name, pid in pids.items()}


def since(before: Mapping[str, float], running: Stack) -> dict[str, float]:
    """Return by part the processor seconds since ``before`` was asked for."""
    return {name: after - before[name] for name, after in spent_s(running).items()}


def _of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
