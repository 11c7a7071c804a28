"""The gallery at every offset of its log: what a probe could have met when it was answered."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from schemas.gallery import GalleryEntry, Status


@dataclass(frozen=True, slots=True)
class EntryState:
    """One entry as the log tells it: the identity, and whether it is matched."""

    identity: str
    active: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """An entry unchanged from one offset to just before another."""

    entry_id: str
    held: EntryState
    first: int
    after: float = math.inf

    def meets(self, first: int, last: int) -> bool:
        return self.first <= last and self.after > first


class History:
    """Takes the changes of the gallery in the order of the log."""

    def __init__(self) -> None:
        self.returned: list[str] = []
        self._now: dict[str, _Stretch] = {}
        self._past: defaultdict[str, list[_Stretch]] = defaultdict(list)
        self._erased: set[str] = set()
        self._offsets: list[int] = []
        self._times_ms: list[int] = []

    @property
    def now(self) -> Mapping[str, EntryState]:
        """The entries as the newest record leaves them."""
        return {entry_id: stretch.held for entry_id, stretch in self._now.items()}

    @property
    def ever(self) -> set[str]:
        """The ids of all entries that there ever were."""
        return {*self._past, *self._now}

    def take(
        self, entry_id: str, entry: GalleryEntry | None, offset: int, timestamp_ms: int
    ) -> None:
        """Take one change; None: erased. An erased entry that comes back is noted."""
        self._offsets.append(offset)
        self._times_ms.append(max(timestamp_ms, self._times_ms[-1] if self._times_ms else 0))
        before = self._now.pop(entry_id, None)
        if before is not None:
            ended = _Stretch(entry_id, before.held, before.first, offset)
            self._past[entry_id].append(ended)
        if entry is None:
            self._erased.add(entry_id)
            return
        if entry_id in self._erased:
            self.returned.append(f"{entry_id} as {entry.identity} at offset {offset}")
        held = EntryState(entry.identity, entry.status is Status.ACTIVE)
        self._now[entry_id] = _Stretch(entry_id, held, offset)

    def newest_at(self, timestamp_ms: int) -> int:
        """Return the offset of the last change up to an instant; -1 where there was none."""
        place = bisect_right(self._times_ms, timestamp_ms)
        return self._offsets[place - 1] if place else -1

    def was_active(self, identity: str, first: int, last: int) -> bool:
        """Whether any entry of the identity was matched at some offset from first to last."""
        return any(
            stretch.held.active and stretch.held.identity == identity
            for entry_id in self.ever
            for stretch in self._stretches(entry_id)
            if stretch.meets(first, last)
        )

    def stayed_active(self, entry_id: str, first: int, last: int) -> bool:
        """Whether the entry was matched at every offset from first to last, and at ``first``."""
        met = [s for s in self._stretches(entry_id) if s.meets(first, last)]
        whole = bool(met) and met[0].first <= first and met[-1].after > last
        unbroken = all(a.after == b.first for a, b in pairwise(met))
        return whole and unbroken and all(stretch.held.active for stretch in met)

    def _stretches(self, entry_id: str) -> list[_Stretch]:
        now = self._now.get(entry_id)
        return [*self._past.get(entry_id, ()), *(() if now is None else (now,))]
