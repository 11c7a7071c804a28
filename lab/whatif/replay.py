"""Probes answered by the live matcher, against a gallery that the live layout put in memory."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry

from lab.whatif.answers import Answer, Answers
from recognition.bootstrap import Interval
from recognition.decision import Neighbour
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.errors import BadInput, SetupError
from schemas.gallery import GalleryEntry
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, ReviewItem
from schemas.records import Record
from schemas.settings import Settings
from schemas.topics import EMBEDDINGS, IDENTIFICATIONS
from streams.conditioning.placement import Placement, Placements
from streams.gallery.holdings import Holdings
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState, Query
from streams.index.memory import MemoryIndex
from streams.matching.matcher import Matcher

_Asked = tuple[str | None, str, tuple[str, ...], int]
_EPOCH = "replay"

OnProbe = Callable[[], None]
"""Hears that one more probe is answered."""

_NEARLY = 1e-3


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


class Replay:
    """A gallery as it lies under one conditioning, and the matcher on it.

    Attributes:
        state: what the index would say of itself, thresholds included.
        placement: how embeddings are placed.
    """

    def __init__(
        self, index: ReplayIndex, placements: Placements, holdings: Holdings, settings: Settings
    ) -> None:
        self._index = index
        self._holdings = holdings
        self.state = holdings.state(_EPOCH)
        self.placement: Placement = holdings.placed.placement
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
        placements = Placements(settings.shard_by)
        layout = PlacedGallery(await placements.under(active), active, settings.target_fpir)
        holdings = Holdings(layout)
        for position, entry in enumerate(entries):
            holdings.apply(entry, position)
        index = ReplayIndex()
        try:
            replay = cls(index, placements, holdings, settings)
        except ValueError as error:
            raise SetupError(f"the gallery does not fit the conditioning: {error}") from error
        await index.write(list(layout.entries()), [], replay.state)
        return replay

    def at_fpir(self, model: str, fpir: float) -> GalleryState:
        """Return the state with the thresholds that keep this FPIR for a model's embeddings."""
        self._holdings.placed.thresholds_of(model).keep(fpir)
        return self._holdings.state(_EPOCH)

    def interval(self, model: str, strangers: int) -> Interval | None:
        """Return within what the FPIR of so many strangers will lie, at the last of those states.

        None where the gallery is too small for any threshold: no stranger is identified then.
        """
        return self._holdings.placed.thresholds_of(model).interval(strangers)

    async def answers(
        self,
        probes: Iterable[Embedding],
        done: OnProbe,
        state: GalleryState | None = None,
    ) -> Answers:
        """Answer the probes; those whose vector has the wrong size are left out.

        Args:
            state: with other thresholds than the gallery's own.
        """
        await self._index.write([], [], self.state if state is None else state)
        answers: Answers = {}
        embeddings, identified = map(self._settings.topic, (EMBEDDINGS, IDENTIFICATIONS))
        for probe in probes:
            self._index.probe = probe.event_id
            try:
                (record,) = await self._matcher.handle([probe.record(embeddings)])
            except BadInput:
                continue
            finally:
                done()
            answers[probe.event_id] = _answer(record, known=record.topic == identified)
        return answers


def _answer(record: Record, *, known: bool) -> Answer:
    event = Identification.read(record) if known else ReviewItem.read(record)
    return Answer(
        event_id=event.event_id,
        identity=event.identity if isinstance(event, Identification) else None,
        distance=event.distance,
        threshold=event.threshold,
        cluster=event.cluster,
    )


def unlike(live: GalleryState | None, here: GalleryState) -> str | None:
    """Say which setting seems to differ from those of the running streams; None if none.

    A command knows its own settings only; the shards and thresholds in the index tell the others.
    Where there is no index, or it lies by another conditioning, nothing can be said.
    """
    if live is None or live.conditioning != here.conditioning:
        return None
    if live.shards.keys() != here.shards.keys():
        return _words("other shards", "PERENNIAL_SHARD_BY")
    if live.shards == here.shards and not _alike(_thresholds(live), _thresholds(here)):
        return _words("other thresholds", "PERENNIAL_TARGET_FPIR")
    return None


def _thresholds(state: GalleryState) -> list[float | None]:
    """Return those of all shards, in the order of their names."""
    return [
        shards[cluster].threshold
        for _, shards in sorted(state.models.items())
        for cluster in sorted(shards)
    ]


def _alike(first: list[float | None], second: list[float | None]) -> bool:
    """Compare, but for rounding; they are as many."""
    return all(
        left is right or (left is not None and right is not None and abs(left - right) <= _NEARLY)
        for left, right in zip(first, second, strict=True)
    )


def _words(what: str, setting: str) -> str:
    return (
        f"The running index has {what} than these settings give: unless the gallery changed just "
        f"now, set {setting} here as it is set for `perennial streams`."
    )
