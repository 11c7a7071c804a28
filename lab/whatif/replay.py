"""Probes answered by the live matcher, against a gallery that the live layout put in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from lab.whatif.index import ReplayIndex
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.errors import BadInput, SetupError
from schemas.gallery import GalleryEntry
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, IDENTIFICATIONS
from streams.conditioning.placement import Placement, Placements, Plain
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState, IndexEntry
from streams.matching.matcher import Matcher

_EPOCH = "replay"

Progress = Callable[[], None]
"""Hears that one more probe is answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the matcher says of a probe.

    Attributes:
        identity: None sends the probe to review.
        distance: to the identity, or for review to the nearest one; None without any.
        threshold: None where the gallery is too small to have one.
        cluster: of the probe, None where its background does not tell.
    """

    event_id: str
    identity: str | None
    distance: float | None
    threshold: float | None
    cluster: str | None


Answers = dict[str, Answer]
"""By event id."""


class Replay:
    """A gallery as it lies under one conditioning, and the matcher on it.

    Attributes:
        state: what the index would say of itself, thresholds included.
        placement: how embeddings are placed.
        entries: the active entries as they are placed.
    """

    def __init__(
        self,
        index: ReplayIndex,
        placements: Placements,
        layout: PlacedGallery,
        state: GalleryState,
        settings: Settings,
    ) -> None:
        self._index = index
        self.state = state
        self.placement: Placement = layout.placement
        self.entries: Sequence[IndexEntry] = list(layout.entries())
        self._settings = settings.model_copy(update={"include": False})
        metrics = Metrics(CollectorRegistry())  # of a replay nobody wants to know
        self._matcher = Matcher(self._settings, metrics, index, placements)

    @classmethod
    async def of(
        cls, entries: Iterable[GalleryEntry], active: ArtefactRef | None, settings: Settings
    ) -> "Replay":
        """Lay the entries out as the gallery agent would.

        Raises:
            SetupError: the conditioning cannot be read, or is for vectors of another size.
        """
        placements = Placements(Plain(settings.shard_by))
        layout = PlacedGallery(await placements.under(active), active, settings.target_fpir)
        holdings = Holdings(layout)
        for position, entry in enumerate(entries):
            holdings.apply(entry, position)
        try:
            state = holdings.state(_EPOCH)
        except ValueError as error:
            raise SetupError(f"the gallery does not fit the conditioning: {error}") from error
        index = ReplayIndex()
        replay = cls(index, placements, layout, state, settings)
        await index.write(replay.entries, [], state)
        return replay

    async def answers(
        self,
        probes: Iterable[Embedding],
        done: Progress,
        state: GalleryState | None = None,
    ) -> Answers:
        """Answer the probes; those whose vector has the wrong size are left out.

        Args:
            probes: embeddings of any models.
            done: hears of each probe.
            state: with other thresholds than the gallery's own.
        """
        await self._index.write([], [], self.state if state is None else state)
        found: Answers = {}
        embeddings, identified = map(self._settings.topic, (EMBEDDINGS, IDENTIFICATIONS))
        for probe in probes:
            self._index.probe = probe.event_id
            try:
                (record,) = await self._matcher.handle([probe.record(embeddings)])
            except BadInput:
                continue
            finally:
                done()
            found[probe.event_id] = _answer(record, known=record.topic == identified)
        return found


def _answer(record: Record, *, known: bool) -> Answer:
    event = Identification.read(record) if known else ReviewItem.read(record)
    return Answer(
        event_id=event.event_id,
        identity=event.identity if isinstance(event, Identification) else None,
        distance=event.distance,
        threshold=event.threshold,
        cluster=event.cluster,
    )
