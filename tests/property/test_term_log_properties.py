"""Two owners of one gallery, interleaved at will, over a log that is compacted now and then."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DependencyDown
from schemas.gallery import Change, Erased, ErasedMark, GalleryEntry, TermClaim
from schemas.records import Record
from streams.kafka.term_log import TermLog
from tests.fake_log import FakeLog
from tests.gallery_entries import CAPTURED, entry

IDS, NAMES = ("a", "b", "c"), ("oak", "elm", "fir")


@dataclass
class Step:
    """What one owner does, and what the other does while that is half done."""

    owner: int
    change: Change | None  # None: it claims the gallery
    before: "list[Step]" = field(default_factory=list)
    after: "list[Step]" = field(default_factory=list)
    repeat: int | None = None
    compact: float | None = None


enrolled = st.builds(entry, st.sampled_from(IDS), st.sampled_from(NAMES), st.just([1, 0]))
changes = enrolled | st.builds(Erased, st.sampled_from(IDS), st.just(CAPTURED))
leaves = st.builds(Step, st.integers(0, 1), st.none() | changes)
steps = st.builds(
    Step,
    st.integers(0, 1),
    st.none() | changes,
    st.lists(leaves, max_size=2),
    st.lists(leaves, max_size=2),
    st.none() | st.integers(0, 30),
    st.none() | st.floats(0, 1),
)


class Told:
    """The oracle: reads the whole log, before any compaction, in the plainest way."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.term, self.owner = 0, ""
        self.entries: dict[str, str] = {}
        self.erased: set[str] = set()
        for record in records:
            kind, _, name = (record.key or b"").decode().partition(":")
            if kind == "term":
                claim = TermClaim.read(record)
                if claim.term > self.term:
                    self.term, self.owner = claim.term, claim.owner
            elif record.header("term") == str(self.term):
                self._take(kind, name, record)

    def _take(self, kind: str, name: str, record: Record) -> None:
        if record.value is None:
            held: Any = self.entries if kind == "entry" else {}
            held.pop(name, None)
        elif kind == "entry":
            self.entries[name] = GalleryEntry.read(record).identity
        else:
            self.erased.add(ErasedMark.read(record).entry_hash)


class World:
    """The log, its two owners, and all that was ever put on it."""

    def __init__(self) -> None:
        self.log = FakeLog()
        self.all: list[Record] = []
        self.owners = [self._owner(), self._owner()]
        self.script: Step | None = None
        put = self.log.put

        def keep(*records: Record) -> list[int]:
            offsets = put(*records)
            self.all += [r for r in self.log.kept if r.offset in offsets]
            return offsets

        self.log.put = keep  # type: ignore[method-assign]

    def _owner(self) -> TermLog:
        owner = self.log.owner()
        publish = owner._publish

        async def interrupted(records: Sequence[Record]) -> Sequence[int]:
            script, self.script = self.script, None
            for step in () if script is None else script.before:
                await self.act(step)
            offsets = await publish(records)
            for step in () if script is None else script.after:
                await self.act(step)
            return offsets

        owner._publish = interrupted
        return owner

    async def act(self, step: Step) -> bool:
        """Let an owner act; say whether it was told that it succeeded."""
        owner = self.owners[step.owner]
        try:
            if step.change is None:
                await owner.claim(lambda: None)
            else:
                await owner.append([step.change])
        except DependencyDown:
            return False
        return True

    async def run(self, step: Step) -> None:
        """Carry a step out, with what happens meanwhile, and then what the broker does."""
        self.script = step
        done = await self.act(step)
        self.script = None
        told = Told(self.all)
        if done and step.change is not None and not step.before and not step.after:
            held = told.entries.get(step.change.entry_id)
            wanted = None if isinstance(step.change, Erased) else step.change.identity
            assert held == wanted, "what was acknowledged holds"
        if step.repeat is not None and self.all:
            late = self.all[step.repeat % len(self.all)]
            if late.header("term") not in (None, str(told.term)):
                self.log.put(late)  # from a process that was paused, long after
        if step.compact is not None and not self.log.fold().overruled:
            self.log.compact(round(step.compact * len(self.all)), tombstones=False)


@given(st.lists(steps, max_size=12))
def test_any_reader_knows_what_the_whole_log_tells(script: list[Step]) -> None:
    async def play() -> None:
        world = World()
        for step in script:
            await world.run(step)
        told, fold = Told(world.all), world.log.fold()
        assert {i: e.identity for i, e in fold.entries.items()} == told.entries
        assert set(fold.erasures.marks) == told.erased
        terms = [owner.term for owner in world.owners if owner.term is not None]
        assert all(term <= fold.term for term in terms)
        assert len(set(terms)) == len(terms), "a term has one owner"

    asyncio.run(play())


@given(st.lists(steps, max_size=12))
def test_the_next_owner_makes_the_log_safe_to_compact_whole(script: list[Step]) -> None:
    async def play() -> None:
        world = World()
        for step in script:
            await world.run(step)
        before = Told(world.all)
        owner = world.log.owner()
        await owner.claim(lambda: None)
        assert owner.term == before.term + 1
        world.log.compact()
        fold = world.log.fold()
        assert {i: e.identity for i, e in fold.entries.items()} == before.entries
        assert set(fold.erasures.marks) == before.erased
        assert (fold.overruled, fold.unreadable) == (set(), {})

    asyncio.run(play())
