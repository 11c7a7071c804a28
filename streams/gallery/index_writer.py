"""Keeps the index as the gallery is: it is a view, written by the gallery agent alone."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence

from schemas.errors import DependencyDown
from schemas.gallery import Change
from schemas.metrics import Metrics
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery
from streams.gallery.rolling import Rolling
from streams.index.base import GalleryState, Index, IndexDiffers, IndexEntry, IndexKey

log = logging.getLogger(__name__)

_CHUNK = 1000  # entries placed or written at a time: others have their turn in between


class IndexWriter:
    """The index as it was left, and what changed in the holdings since.

    Args:
        check_ownership: returns the term in which the gallery is ours to write; raises
            DependencyDown when it is not.
        verify_interval_s: seconds within which every entry is compared with what the index holds.
    """

    def __init__(
        self,
        index: Index,
        check_ownership: Callable[[], int],
        metrics: Metrics,
        verify_interval_s: float,
    ) -> None:
        self._index = index
        self._check_ownership = check_ownership
        self._metrics = metrics
        self._rolling = Rolling(index, verify_interval_s)
        self.forget()

    def forget(self) -> None:
        """Know nothing of the index any more: another process may have written it."""
        self.written: GalleryState | None = None
        self._touched: dict[str, set[IndexKey]] = {}
        self._swept = False

    def touch(self, change: Change, holdings: Holdings) -> None:
        """Remember where the index holds an entry that is about to change."""
        here = holdings.placed.index_key(change.entry_id)
        self._touched.setdefault(change.entry_id, set()).update([] if here is None else [here])

    async def sync(self, holdings: Holdings) -> None:
        """Make the index hold what memory holds; make it anew when it is not as it was left.

        Raises:
            DependencyDown: the index does not answer, or the gallery is no longer ours.
        """
        present = await self._index.state()
        if self.written is None and present is not None and await self._is_right(present, holdings):
            self.written, self._touched = present, {}
        if present is None or present != self.written or _resized(present, holdings):
            await self._rebuild(holdings)
        elif self._touched or present != holdings.state(present.epoch):
            await self._write(holdings, present.epoch)
        if not self._swept and self.written is not None:
            await self._index.sweep(self.written, self._check_ownership())
            self._swept = True

    async def verify(self, holdings: Holdings) -> None:
        """Compare the index with what it should hold; it was in sync a moment ago.

        The counts of all shards each time; entries and keys bit by bit. What was altered is put
        right at once; where entries are missing, the next :meth:`sync` makes the index anew.

        Raises:
            IndexDiffers: a shard does not hold as many entries as it should.
            DependencyDown: as for :meth:`sync`.
        """
        state = self.written
        if state is None:
            return
        if not await self._index.holds(state):
            self.written = None
            self._repairs("count", 1)
            raise IndexDiffers("a shard has not the entries that it should; it is written anew")
        placed = holdings.placed
        share = self._rolling.elapsed(len(holdings))
        altered = await self._rolling.altered(placed)
        if altered:
            log.error("the index held %s otherwise than the gallery", [e.entry_id for e in altered])
            gone = [IndexKey(entry.entry_id, entry.space, entry.cluster) for entry in altered]
            await self._index.write(altered, gone, state, self._check_ownership())
            self._repairs("contents", len(altered))
        strays = await self._index.expel(
            state, lambda at: placed.index_key(at.entry_id) == at, share, self._check_ownership()
        )
        if strays:
            log.error("removed keys from the index that are no entries: %s", strays)
            self._repairs("strays", len(strays))

    async def move(self, holdings: Holdings, placed: PlacedGallery) -> None:
        """Write the gallery under another placement beside what is searched, then switch at once.

        The index must be in sync. Searches see the old shards up to one write of the state, and
        the new ones after it; one that sees both states is refused. When this fails, only the index
        knows which placement it has.

        Raises:
            DependencyDown: as for :meth:`sync`.
            ValueError: an entry is not of its model's dimension.
        """
        before = self.written
        if before is None:
            raise RuntimeError("the index is not in sync")
        await self._index.sweep(
            before, self._check_ownership()
        )  # what an attempt that was cut off has left
        await settle(placed)
        state = await asyncio.to_thread(holdings.state, _epoch(), placed)
        searched = {before.space(model) for model in before.models}
        await self._fill([e for e in await _entries(placed) if e.space not in searched])
        await self._change_over(state)
        holdings.placed = placed
        await self._index.sweep(state, self._check_ownership())
        self._swept = True

    async def _is_right(self, present: GalleryState, holdings: Holdings) -> bool:
        """Whether an index that an earlier process wrote holds all that was read."""
        wanted = await asyncio.to_thread(holdings.state, present.epoch)
        same = (present.position, present.conditioning) == (wanted.position, wanted.conditioning)
        return same and present.shards == wanted.shards and await self._index.holds(wanted)

    async def _rebuild(self, holdings: Holdings) -> None:
        log.info("writing the index anew: %s entries", len(holdings))
        self.written = None
        await self._index.clear(self._check_ownership())
        state = await asyncio.to_thread(holdings.state, _epoch())
        await self._fill(await _entries(holdings.placed))
        await self._change_over(state)
        self._touched, self._swept = {}, True

    async def _fill(self, entries: Sequence[IndexEntry]) -> None:
        for start in range(0, len(entries), _CHUNK):
            await self._index.fill(entries[start : start + _CHUNK], self._check_ownership())

    async def _change_over(self, state: GalleryState) -> None:
        if not await self._index.holds(state):
            raise DependencyDown("redis", "it lost entries while they were written")
        await self._index.write([], [], state, self._check_ownership())
        self.written = state

    async def _write(self, holdings: Holdings, epoch: str) -> None:
        active: list[IndexEntry] = []
        gone: list[IndexKey] = []
        for entry_id, places in self._touched.items():
            entry = holdings.placed.entry(entry_id)
            here = holdings.placed.index_key(entry_id)
            active.extend([] if entry is None else [entry])
            gone.extend(places - {here})
        state = holdings.state(epoch)
        await self._index.write(active, gone, state, self._check_ownership())
        self.written, self._touched = state, {}

    def _repairs(self, what: str, count: int) -> None:
        self._metrics.index_repairs.labels(what).inc(count)


async def settle(placed: PlacedGallery) -> None:
    """Place all entries that wait, beside the event loop."""
    while await asyncio.to_thread(placed.settle, _CHUNK):
        pass


async def _entries(placed: PlacedGallery) -> list[IndexEntry]:
    return await asyncio.to_thread(lambda: list(placed.entries()))


def _resized(state: GalleryState, holdings: Holdings) -> bool:
    """Whether the vectors of a model are of another size now: no shard takes both."""
    sizes = ((size, holdings.dimension(model)) for model, size in state.dimensions.items())
    return any(now not in (None, before) for before, now in sizes)


def _epoch() -> str:
    return uuid.uuid4().hex
