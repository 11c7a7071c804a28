"""The agents of the live system wired to each other in one process, with no topic in between."""

from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import CollectorRegistry

from infra.simulate.memory_log import MemoryLog, OneConditioning
from recognition.include import InclusionRule
from recognition.retain import RetentionRule
from schemas.conditioning import ActiveConditioning
from schemas.embedding import Embedding
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewItem
from schemas.records import Record
from schemas.review import ReviewDecision
from schemas.settings import Settings
from schemas.topics import (
    EMBEDDINGS,
    GALLERY_COMMANDS,
    HUMAN_REVIEW,
    IDENTIFICATIONS,
    REVIEW_DECISIONS,
)
from streams.activation import Activation
from streams.gallery import GalleryAgent
from streams.inclusion import Includer
from streams.index.memory import MemoryIndex
from streams.matcher import Matcher
from streams.placement import Placements, Plain
from streams.plan import Planner
from streams.review import ReviewAgent


class System:
    """Matcher, review agent and gallery agent over an index and topics in memory.

    What the settings say holds, as in a service, but for the age of entries: the gallery agent
    reads the clock on the wall, and a simulated day takes less than a second.

    Args:
        mad: whether retention takes outliers out.
        active: the conditioning; None is plain.
    """

    def __init__(
        self, settings: Settings, *, mad: bool, active: ActiveConditioning | None = None
    ) -> None:
        self.log = MemoryLog()
        self._settings = settings
        index, metrics = MemoryIndex(), Metrics(CollectorRegistry())
        placements = Placements(Plain(settings.shard_by))
        self._matcher = _matcher(settings, index, placements, metrics)
        self._review = ReviewAgent(
            identifications=settings.topic(IDENTIFICATIONS),
            gallery_commands=settings.topic(GALLERY_COMMANDS),
        )
        self._gallery = GalleryAgent(
            index,
            self.log,
            activation=Activation(OneConditioning(active), placements, settings.target_fpir),
            planner=Planner(settings.shard_by),
            rule=RetentionRule(
                newest=settings.retention_newest,
                mad_cutoff=settings.retention_mad if mad else None,
            ),
            retention_interval=timedelta(seconds=settings.retention_interval_s),
            term=lambda: 1,
            metrics=metrics,
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
        said, *commands = await self._matcher.handle([embedding.record(embeddings)])
        await self._carry_out(commands)
        if said.topic == self._settings.topic(HUMAN_REVIEW):
            return ReviewItem.read(said)
        return Identification.read(said)

    async def hear(self, answers: Sequence[ReviewDecision]) -> None:
        """Let the answers of people take their effect."""
        decisions = self._settings.topic(REVIEW_DECISIONS)
        outputs = await self._review.handle([answer.record(decisions) for answer in answers])
        commands = self._settings.topic(GALLERY_COMMANDS)
        await self._carry_out([output for output in outputs if output.topic == commands])

    async def _carry_out(self, commands: Sequence[Record]) -> None:
        if commands:
            await self._gallery.handle(commands)


def _matcher(
    settings: Settings, index: MemoryIndex, placements: Placements, metrics: Metrics
) -> Matcher:
    includer = Includer(
        InclusionRule(settings.include_surer, settings.include_new),
        gallery_commands=settings.topic(GALLERY_COMMANDS),
        metrics=metrics,
    )
    return Matcher(
        index,
        placements=placements,
        neighbours=settings.neighbours,
        identifications=settings.topic(IDENTIFICATIONS),
        human_review=settings.topic(HUMAN_REVIEW),
        metrics=metrics,
        includer=includer if settings.include else None,
    )
