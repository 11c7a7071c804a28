"""The index that probes are replayed on."""

from collections.abc import Sequence

from recognition.decision import Neighbour
from streams.index.base import Query
from streams.index.memory import MemoryIndex

_Asked = tuple[str | None, str, tuple[str, ...], int]


class ReplayIndex(MemoryIndex):
    """The gallery in memory, which hides from each probe the entry that was made of it.

    A probe that was enrolled meanwhile would find itself, at distance 0. So one neighbour more is
    searched and the probe's own entry dropped: what is left is what an index without it finds.
    Entries must not change any more, since what a probe has found is kept: thresholds may.

    Attributes:
        probe: the event id of the probe that searches.
    """

    def __init__(self) -> None:
        super().__init__()
        self.probe: str | None = None
        self._found: dict[_Asked, tuple[Neighbour, ...]] = {}

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Search for the present probe; all queries must be its own."""
        return [await self._search(query, k, epoch) for query in queries]

    async def _search(self, query: Query, k: int, epoch: str) -> tuple[Neighbour, ...]:
        asked = (self.probe, query.space, query.clusters, k)
        if asked not in self._found:
            (near,) = await super().search([query], k + 1, epoch)
            others = (neighbour for neighbour in near if neighbour.entry_id != self.probe)
            self._found[asked] = tuple(others)[:k]
        return self._found[asked]
