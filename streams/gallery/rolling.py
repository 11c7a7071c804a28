"""Goes through all entries, a few each second, and finds those that the index holds otherwise."""

from collections.abc import Callable, Iterator
from itertools import islice
from time import monotonic

from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import Index, IndexEntry

_MAX_READ = 1000  # entries read at a time


class Rolling:
    """Paces itself so that every entry is compared once in each interval.

    Args:
        interval_s: seconds that one round through all entries takes.
    """

    def __init__(
        self, index: Index, interval_s: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._index = index
        self._interval = interval_s
        self._clock = clock
        self._at = clock()
        self._owed = 0.0  # entries
        self._round: Iterator[str] = iter(())

    def elapsed(self, size: int) -> float:
        """Take note of the time; return which share of a round has fallen due since the last call.

        Args:
            size: how many entries there are.
        """
        before, self._at = self._at, self._clock()
        share = (self._at - before) / self._interval
        self._owed = min(size, self._owed + size * share)
        return share

    async def altered(self, placed: PlacedGallery) -> list[IndexEntry]:
        """Compare the entries that are due, and return those that the index holds otherwise."""
        due = min(_MAX_READ, int(self._owed))
        ids = list(islice(self._round, due))
        if len(ids) < due:
            self._round = iter(placed.active_ids())
            ids += islice(self._round, due - len(ids))
        self._owed -= due
        entries = (placed.entry(entry_id) for entry_id in ids)
        return await self._index.altered([entry for entry in entries if entry is not None])
