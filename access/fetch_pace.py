"""How often a consumer asks its broker for records: no later than now, and no oftener than needed.

Apache Kafka holds a question back until there are records: there a long wait costs nothing. The
embedded broker looks when it is asked, and again only at half of the wait and later: there a long
wait makes records late, so the wait is short while records come, and grows while none does. Which
of the two a broker is, its answers tell.
"""

from collections import defaultdict
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer

_LONG_MS = 500
"""The wait of a broker that answers as soon as it can."""

_SHARED_MS = 50
"""The same, where some partitions are left out because what they brought is not taken yet: they
join in only with the next question."""

_SHORT_MS, _GROWN_MS = 10, 200
"""The wait of a broker that looks only now and then: while records come, and after a silence. What
is asked of one of which nothing is known yet is the latter."""

_KEPT_UP_S = 3.0
"""How long after the last records it is the shortest."""

_WOKEN = (0.15, 0.45)
"""The part of a wait in which an answer with records tells that the broker was woken: one that
looks at the beginning, at half time and later has none to give then."""

_MIN_WOKEN = 2
"""Such answers that settle it: the machine itself may have held one up."""

_MAX_LATE = 24
"""Later answers in a row that settle the opposite. A third of the answers of a broker that is woken
come in that part, if records come at any time: so many others have a probability of 3 in 10,000."""


class FetchPace:
    """The pace of one connection, by what the broker has answered so far."""

    def __init__(self) -> None:
        self.is_woken: bool | None = None
        self._woken = 0
        self._late = 0
        self._grown_ms = _SHORT_MS
        self._last_at = monotonic()

    def wait_ms(self, *, whole: bool) -> int:
        """Return the next wait; ``whole``: for every partition that is read there."""
        if self.is_woken is False:
            return self._grown_ms if whole else _SHORT_MS
        if not whole:
            return _SHARED_MS
        return _LONG_MS if self.is_woken else _GROWN_MS

    def answered(self, wait_ms: int, took_s: float, *, with_records: bool) -> None:
        """Note an answer, and how long it took of the wait."""
        now = monotonic()
        if with_records:
            self._last_at, self._grown_ms = now, _SHORT_MS
            if self.is_woken is not False and wait_ms >= _GROWN_MS:
                self._learn(took_s * 1000 / wait_ms)
        elif now - self._last_at > _KEPT_UP_S:
            self._grown_ms = min(2 * self._grown_ms, _GROWN_MS)

    def _learn(self, part: float) -> None:
        """Learn from an answer with records after this part of the wait."""
        begin, end = _WOKEN
        if part >= end:
            self._late += 1
        elif part > begin:
            self._woken += 1
        if self._woken >= _MIN_WOKEN:
            self.is_woken, self._woken, self._late = True, 0, 0
        elif self._late >= _MAX_LATE:
            self.is_woken = False


def keep_pace(consumer: AIOKafkaConsumer) -> None:
    """Let a consumer of aiokafka's that was started fetch at the pace of its brokers."""
    fetcher: Any = consumer._fetcher
    ask = fetcher._proc_fetch_request
    paces: defaultdict[int, FetchPace] = defaultdict(FetchPace)

    async def fetch(assignment: Any, node: int, request: Any) -> bool:
        pace = paces[node]
        read_there = [p for p in assignment.tps if fetcher._select_read_replica(p) == node]
        asked_for = sum(len(partitions) for _, partitions in request.topics)
        request._max_wait_ms = wait_ms = pace.wait_ms(whole=asked_for == len(read_there))
        began = monotonic()
        with_records = bool(await ask(assignment, node, request))
        pace.answered(wait_ms, monotonic() - began, with_records=with_records)
        return with_records

    fetcher._proc_fetch_request = fetch
