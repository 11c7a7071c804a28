"""The people of the run: they answer reviews, and now and then change the gallery by hand.

What they decide about one motif is decided in order: a command is sent when all that was decided
before has reached the gallery, and nothing else is decided until it has got there too. So what the
gallery must hold in the end does not depend on who was faster.
"""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from client.producer import Producer
from infra.torture.history import History
from infra.torture.intended import FEW, Intended, wish
from infra.torture.model import MOTIFS
from infra.torture.sender import deliver
from schemas.gallery import GalleryCommand
from schemas.recognition_event import ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import GALLERY_COMMANDS, REVIEW_DECISIONS

_STRANGERS = 2  # motifs that nobody ever names
_ENOUGH = 8  # entries of a motif, from which on its questions stay open
_REPEATED = 0.3  # share of decisions and commands that may come once more, much later
_REPEATS = 0.3  # share of rounds in which one of them does
_EACH_S = 3.0
_AGAIN_S = 0.2
_ACTOR = "torture"

MotifOf = Callable[[str], int | None]


class Curator:
    """Decides, sends, and remembers what it decided in ``intended``."""

    def __init__(
        self, settings: Settings, broker: Producer, history: History, motif_of: MotifOf, seed: int
    ) -> None:
        self.intended = Intended()
        self.decisions = self.commands = self.repeats = 0
        self._settings = settings
        self._broker = broker
        self._history = history
        self._motif_of = motif_of
        self._rng = np.random.default_rng([seed, 2])
        self._names = {motif: f"motif {motif:02}" for motif in range(MOTIFS)}
        self._locks = {motif: asyncio.Lock() for motif in range(MOTIFS)}
        self._old: list[Record] = []

    async def asked_about(self, items: Sequence[ReviewItem]) -> None:
        """Go through reviews, one after the other."""
        for item in items:
            await self.asked(item)

    async def asked(self, item: ReviewItem) -> None:
        """Answer a review, unless its motif is a stranger, known well, or being changed."""
        motif = self._motif_of(item.event_id)
        if motif is None or motif >= MOTIFS - _STRANGERS or self._locks[motif].locked():
            return
        async with self._locks[motif]:
            enough = len(self.intended.of_motif(motif)) >= _ENOUGH
            if enough or self.intended.knows(item.event_id):
                return
            name = self._names[motif]
            decision = ReviewDecision(item=item, identity=name, actor=_ACTOR)
            self.intended.answered(item.event_id, motif, name)
            await self._send(decision.record(self._settings.topic(REVIEW_DECISIONS)))
            self.decisions += 1

    async def change(self, stop: asyncio.Event) -> None:
        """Change the gallery every few seconds until ``stop`` is set; finish what was begun."""
        while not stop.is_set():
            motif = self._any_motif()
            async with self._locks[motif]:
                if await self._settled(motif, stop):
                    await self._command(motif)
                    await self._settled(motif, stop)
            if self._rng.random() < _REPEATS:
                await self._repeat()
            await asyncio.sleep(_EACH_S)

    def _any_motif(self) -> int:
        """Return a motif, one that has something to change where there is any."""
        named = range(MOTIFS - _STRANGERS)
        rich = [m for m in named if len(self.intended.of_motif(m)) >= FEW]
        return int(self._rng.choice(rich or list(named)))

    async def _command(self, motif: int) -> None:
        entries = self.intended.of_motif(motif)
        wished = wish(self._rng, entries, self._names[motif], f"{motif:02}-{self.commands}")
        if wished is None:
            return
        self.intended.wished(wished)
        if wished.renamed_to is not None:
            self._names[motif] = wished.renamed_to
        command = GalleryCommand(
            command_id=f"torture-{self.commands}",
            identity=wished.identity,
            actor=_ACTOR,
            reason="torture",
            action=wished.action,
        )
        self.commands += 1
        await self._send(command.record(self._settings.topic(GALLERY_COMMANDS)))

    async def _settled(self, motif: int, stop: asyncio.Event) -> bool:
        """Wait until the gallery holds what was decided about a motif; false: it was stopped."""
        while self.intended.differences(self._history.now, motif):
            if stop.is_set():
                return False
            await asyncio.sleep(_AGAIN_S)
        return True

    async def _send(self, record: Record) -> None:
        await deliver(self._broker, record)
        if self._rng.random() < _REPEATED:
            self._old.append(record)

    async def _repeat(self) -> None:
        """Send an old decision or command once more, as a group that lost its offsets would."""
        if self._old:
            await deliver(self._broker, self._old[int(self._rng.integers(len(self._old)))])
            self.repeats += 1
