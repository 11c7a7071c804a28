"""Carries faults out on the running system, and undoes them."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from redis import Redis

from infra.local.supervisor import Service
from infra.torture.faults import BROKER, GUESTS, REDIS, Act, Fault
from infra.torture.rig import Rig
from infra.torture.stalls import Suffered

_LONGEST_END_S = 60.0
_POLL_S = 0.1
_COMES_BACK_WITHIN_S = 240.0  # the machine may be busy with the faults


class Victims:
    """Does what the schedule says; remembers how often, and how long services took to end.

    Args:
        note: hears, line by line, what is done.
    """

    def __init__(self, rig: Rig, note: Callable[[str], None], seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.skipped = 0
        self.killed: Counter[str] = Counter()
        self.ends: dict[str, float] = {}
        self.present: dict[str, str] = {}
        self.past: list[Suffered] = []
        self._rig = rig
        self._note = note
        self._rng = np.random.default_rng([seed, 3])

    async def suffer(self, fault: Fault) -> None:
        """Carry a fault out to its end. A victim that suffers already, or is gone, is spared."""
        victim = fault.victim
        if victim in self.present or not self._hittable(victim):
            self.skipped += 1
            self._note(f"spared, it is not well anyway: {fault}")
            return
        self._note(str(fault))
        self.present[victim] = str(fault)
        began = time.time()
        self.done[f"{victim} {fault.act}"] += 1
        try:
            if victim in GUESTS:
                await self._visit(victim, fault.for_s)
            elif victim == REDIS:
                await self._redis(fault)
            elif victim == BROKER:
                await self._broker(fault)
            else:
                await self._service(self._rig.services[victim], fault)
        finally:
            self.past.append(Suffered(str(fault), began, time.time()))
            del self.present[victim]

    def _hittable(self, victim: str) -> bool:
        service = self._rig.services.get(victim)
        return service is None or service.running

    async def _service(self, service: Service, fault: Fault) -> None:
        pid = service.pid
        if fault.act is Act.PAUSE:
            await self._pause(pid, fault.for_s)
            return
        self.killed[service.name] += 1
        if fault.act is Act.KILL:
            os.kill(pid, signal.SIGKILL)
        else:
            await self._terminate(service)

    async def _pause(self, pid: int, for_s: float) -> None:
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(for_s)
        finally:
            if pid in self._rig.pids().values():
                os.kill(pid, signal.SIGCONT)

    async def _terminate(self, service: Service) -> None:
        pid, asked = service.pid, time.monotonic()
        os.kill(pid, signal.SIGTERM)
        while service.running and service.pid == pid:
            if time.monotonic() - asked > _LONGEST_END_S:
                self._note(f"{service.name} does not end; killed")
                os.kill(pid, signal.SIGKILL)
                break
            await asyncio.sleep(_POLL_S)
        took = time.monotonic() - asked
        self.ends[service.name] = max(took, self.ends.get(service.name, 0.0))

    async def _visit(self, name: str, for_s: float) -> None:
        guest = self._rig.guest(name, self._rig.run_dir)
        self._rig.guests[name] = guest
        guest.start()
        try:
            await asyncio.sleep(for_s)
            await self._terminate(guest)
            self._note(f"{name} has left")
        finally:
            guest.stop()
            del self._rig.guests[name]

    async def _redis(self, fault: Fault) -> None:
        redis = self._rig.redis
        if fault.act is Act.THIN:
            await asyncio.to_thread(self._thin)
        elif fault.act is Act.PAUSE:
            await self._pause(redis.pid, fault.for_s)
        else:
            await asyncio.to_thread(redis.kill)
            await asyncio.sleep(fault.for_s)
            if fault.act is Act.EMPTY:
                redis.forget()
            await asyncio.to_thread(redis.start, _COMES_BACK_WITHIN_S)
            self._note("redis is back")

    def _thin(self) -> None:
        """Remove a third of the entries, as an eviction would."""
        pattern = f"{self._rig.settings.topic_prefix}gallery:{{*"
        with Redis.from_url(self._rig.redis.address, socket_timeout=5) as client:
            keys = sorted(client.scan_iter(match=pattern, _type="hash"))
            chosen = [key for key in keys if self._rng.random() < 1 / 3]
            if chosen:
                client.delete(*chosen)
        self._note(f"redis lost {len(chosen)} of {len(keys)} entries")

    async def _broker(self, fault: Fault) -> None:
        broker = self._rig.broker
        if fault.act is Act.PAUSE:
            await self._pause(broker.pid, fault.for_s)
        else:
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(fault.for_s)
            await asyncio.to_thread(broker.start, _COMES_BACK_WITHIN_S)
            self._note("the broker is back")
