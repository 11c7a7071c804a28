"""The agents of the live system in one process, with no topic in between."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from lab.simulate.oracle import Oracle
from schemas.conditioning import Activation
from schemas.embedding import Embedding
from schemas.gallery import Change, Erased, GalleryEntry, Status
from schemas.gallery_fold import GalleryFold
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewDecision, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import (
    EMBEDDINGS,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    REVIEW_DECISIONS,
)
from streams.conditioning.placement import Placements
from streams.gallery.agent import GalleryAgent, retention_of
from streams.index.memory import MemoryIndex
from streams.kafka.term_log import Applied
from streams.matching.matcher import Matcher
from streams.review import ReviewAgent

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Frames (n,) as they came.

    Attributes:
        reviewed: went to a person.
        right: identified by the matcher, as who it is.
        stranger: the identity was not enrolled when the frame came.
        answered: a person named it, as who it is.
    """

    reviewed: Flags
    right: Flags
    stranger: Flags
    answered: Flags

    @property
    def identified(self) -> Flags:
        """Identified by the matcher, rightly or not."""
        return ~self.reviewed

    @property
    def wrong(self) -> Flags:
        """Identified by the matcher, as somebody else: known frames and strangers."""
        return self.identified & ~self.right

    @property
    def settled(self) -> Flags:
        """Named as who it is, by the matcher or by a person."""
        return self.right | self.answered


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Simulated:
    """A simulation at its end.

    It is told by no more than its name: asyncio.run takes the repr of what its task returned, and
    that of a thousand entries with their vectors takes seconds.

    Attributes:
        enrolments: the entries as they came.
        entries: as they are in the end, active and quarantined.
    """

    outcomes: Outcomes
    enrolments: Collection[GalleryEntry]
    entries: Collection[GalleryEntry]
    seconds: float


class MemoryLog:
    """The log behind the gallery, of one owner: acknowledges at once, and tells who is enrolled."""

    def __init__(self) -> None:
        self.fold = GalleryFold()
        self._enrolled: dict[str, GalleryEntry] = {}
        self._active: Counter[str] = Counter()

    @property
    def term(self) -> int | None:
        """The term of the one owner; None before it is claimed."""
        return self.fold.term if self.fold.term else None

    @property
    def enrolled(self) -> Collection[str]:
        """The identities that have an active entry, in the order in which they came."""
        return self._active.keys()

    @property
    def entries(self) -> Collection[GalleryEntry]:
        """The entries as they are now, active and quarantined."""
        return self.fold.entries.values()

    @property
    def enrolments(self) -> Collection[GalleryEntry]:
        """The entries as they were when they came."""
        return self._enrolled.values()

    async def claim(self, may: Callable[[], object], above: int = 0) -> None:
        """Have the next term."""
        may()
        self.fold.term = max(self.fold.term, above) + 1

    async def check(self) -> Applied:
        """Return nothing: nobody else writes."""
        return []

    async def append(self, changes: Sequence[Change]) -> Applied:
        """Keep the changes; return them with their offsets."""
        return [(change, self._keep(change)) for change in changes]

    def _keep(self, change: Change) -> int:
        self._count(self.fold.entries.get(change.entry_id), -1)
        offset = self.fold.position + 1
        self.fold.apply(change, offset)
        if not isinstance(change, Erased):
            self._enrolled.setdefault(change.entry_id, change)
            self._count(change, 1)
        elif change.at is not None:
            self.fold.erasures.mark(change.entry_id, change.at)
        return offset

    def _count(self, entry: GalleryEntry | None, by: int) -> None:
        if entry is not None and entry.status is Status.ACTIVE:
            self._active[entry.identity] += by
            if not self._active[entry.identity]:
                del self._active[entry.identity]


class System:
    """Matcher, review agent and gallery agent over an index and topics in memory.

    What the settings say holds, as in a service, but for the age of entries: the gallery agent
    reads the clock on the wall, and a simulated day takes less than a second.

    Args:
        mad: whether retention takes outliers out.
        active: the conditioning; None is plain.
    """

    def __init__(self, settings: Settings, *, mad: bool, active: Activation | None = None) -> None:
        self.log = MemoryLog()
        self._settings = settings

        async def last_activation() -> Activation | None:
            return active

        index, metrics = MemoryIndex(), Metrics(CollectorRegistry())
        placements = Placements(settings.shard_by)
        rule = retention_of(settings)
        self._matcher = Matcher(settings, metrics, index, placements)
        self._review = ReviewAgent(settings)
        self._gallery = GalleryAgent(
            settings,
            metrics,
            index,
            placements,
            gallery_log=self.log,
            last_activation=last_activation,
            rule=replace(rule, max_age=None, mad_cutoff=rule.mad_cutoff if mad else None),
            ownership=lambda: 1,
        )

    async def start(self) -> None:
        """Write the empty index, under the conditioning.

        Raises:
            DependencyDown: the conditioning cannot be loaded.
        """
        await self._gallery.tick()

    async def see(self, embedding: Embedding) -> Identification | ReviewItem:
        """Return what the matcher says, once all that follows from it has been done.

        Raises:
            BadInput: the embedding is none that the matcher takes.
        """
        embeddings = self._settings.topic(EMBEDDINGS)
        answer, *commands = await self._matcher.handle([embedding.record(embeddings)])
        await self._carry_out(commands)
        if answer.topic == self._settings.topic(HUMAN_REVIEW):
            return ReviewItem.read(answer)
        return Identification.read(answer)

    async def hear(self, answers: Sequence[ReviewDecision]) -> None:
        """Let the answers of people take their effect."""
        decisions = self._settings.topic(REVIEW_DECISIONS)
        outputs = await self._review.handle([answer.record(decisions) for answer in answers])
        commands = self._settings.topic(GALLERY_COMMANDS)
        await self._carry_out([output for output in outputs if output.topic == commands])

    async def _carry_out(self, commands: Sequence[Record]) -> None:
        if commands:
            await self._gallery.handle(commands)


async def simulate(
    system: System,
    oracle: Oracle,
    embeddings: Sequence[Embedding],
    labels: Sequence[str],
    on_frame: Callable[[], None] = lambda: None,
) -> Simulated:
    """Run the streaming protocol.

    Each frame finds the gallery with all that was decided before it came, inclusions among it. What
    the matcher leaves undecided the oracle answers, and the answer is enrolled when it arrives. All
    is answered in the end, though too late to be enrolled.

    Raises:
        BadInput: an embedding is none that the matcher takes.
        DependencyDown: the conditioning cannot be loaded.
    """
    reviewed, right, stranger, answered = (np.zeros(len(embeddings), np.bool_) for _ in range(4))
    frames = {embedding.event_id: frame for frame, embedding in enumerate(embeddings)}

    def note(answers: Sequence[ReviewDecision]) -> None:
        for answer in answers:
            frame = frames[answer.item.event_id]
            answered[frame] = answer.identity == labels[frame]

    started = perf_counter()
    await system.start()
    for frame, (embedding, label) in enumerate(zip(embeddings, labels, strict=True)):
        answers = oracle.answers(frame, system.log.enrolled)
        if answers:
            note(answers)
            await system.hear(answers)
        stranger[frame] = label not in system.log.enrolled
        answer = await system.see(embedding)
        if isinstance(answer, ReviewItem):
            reviewed[frame] = True
            oracle.ask(answer, frame)
        else:
            right[frame] = answer.identity == label
        on_frame()
    seconds = perf_counter() - started
    note(oracle.rest(system.log.enrolled))
    outcomes = Outcomes(reviewed, right, stranger, answered)
    return Simulated(outcomes, system.log.enrolments, system.log.entries, seconds)
