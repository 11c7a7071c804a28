"""The matcher: embeddings in; identifications, or items for human review, out."""

import time
from collections.abc import Sequence
from itertools import chain, islice

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from recognition.cluster import UNCLUSTERED
from recognition.match import Neighbour
from schemas.embedding import Embedding, read_embedding
from schemas.errors import DependencyDown
from schemas.metrics import Metrics
from schemas.recognition_event import Identification, RecognitionEvent, ReviewItem
from schemas.records import Record
from streams.conditioning.artefact import Artefact
from streams.conditioning.placement import Placements
from streams.index.base import GalleryState, Index, IndexDiffers, Query
from streams.matching.drift import DriftWatch
from streams.matching.events import answer, timings_of
from streams.matching.probe import Probe, probes_of
from streams.matching.self_enrolment import Includer

_PAUSE_S = 0.05  # before a search is repeated

Found = tuple[GalleryState, Artefact | None, list[Probe]]


class Matcher:
    """Answers batches of embeddings with one or two pipelined rounds of index queries.

    The first round searches the shards where each probe is most likely found, the second all other
    shards for those probes that the first did not settle (:mod:`streams.matching.search_plan`).

    Args:
        neighbours: k, how many entries vote.
        includer: enrols identified embeddings; None: nothing enters the gallery without a person.
        patience_s: how long a search is repeated while the index differs from its state, as it
            does for an instant while it is made anew.
    """

    def __init__(
        self,
        index: Index,
        *,
        placements: Placements,
        neighbours: int,
        identifications: str,
        human_review: str,
        metrics: Metrics,
        includer: Includer | None = None,
        patience_s: float = 1.0,
    ) -> None:
        self._index = index
        self._placements = placements
        self._neighbours = neighbours
        self._identifications = identifications
        self._human_review = human_review
        self._metrics = metrics
        self._includer = includer
        self._patience_s = patience_s
        self._drift = DriftWatch(metrics)

    async def handle(self, records: Sequence[Record]) -> list[Record]:
        """Return one identification or review item per embedding, and what is to be enrolled.

        Raises:
            BadInput: a record is no embedding.
            DependencyDown: the index cannot answer, it lacks entries and that lasts, the gallery
                agent has not written it yet, or the conditioning that its entries lie by cannot be
                read.
        """
        arrived = time.time()
        embeddings = [read_embedding(record) for record in records]
        state, artefact, probes = await self._insist(embeddings)
        spent = (time.time() - arrived) * 1000
        self._drift.follow(artefact)
        self._drift.saw(probes)
        answers = [self._answer(probe, state, arrived, spent) for probe in probes]
        enrolments = () if self._includer is None else self._includer.commands(probes)
        return [*answers, *enrolments]

    async def _insist(self, embeddings: Sequence[Embedding]) -> Found:
        """Look up; again from the state on while the index differs from it, for a second."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(IndexDiffers),
            stop=stop_after_delay(self._patience_s),
            wait=wait_fixed(_PAUSE_S),
            reraise=True,
        ):
            with attempt:
                return await self._found(embeddings)
        raise AssertionError("unreachable: the last attempt raises")

    async def _found(self, embeddings: Sequence[Embedding]) -> Found:
        state = await self._index.state()
        if state is None:
            raise DependencyDown("gallery", "the index is empty; the gallery agent must write it")
        placement = await self._placements.of(state)
        probes = probes_of(embeddings, state, placement, self._neighbours)
        await self._look_up(probes, state.epoch)
        return state, placement.artefact, probes

    async def _look_up(self, probes: Sequence[Probe], epoch: str) -> None:
        await self._ask([(probe, probe.look.first) for probe in probes], epoch)
        unsettled = [(probe, probe.look.rest) for probe in probes if probe.unsettled]
        if unsettled:
            await self._ask(unsettled, epoch)

    async def _ask(self, asked: Sequence[tuple[Probe, tuple[str, ...]]], epoch: str) -> None:
        queries = [probe.queries(shards) for probe, shards in asked]
        k = max((probe.fetched for probe, _ in asked), default=self._neighbours)
        found = iter(await self._search(list(chain.from_iterable(queries)), k, epoch))
        for (probe, shards), own in zip(asked, queries, strict=True):
            probe.take(chain.from_iterable(islice(found, len(own))), shards)

    async def _search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        try:
            return await self._index.search(queries, k, epoch)
        except DependencyDown:
            self._metrics.shard_timeouts.inc()
            raise

    def _answer(self, probe: Probe, state: GalleryState, arrived: float, spent: float) -> Record:
        event = answer(probe, state, timings_of(probe.embedding, arrived, spent))
        self._observe(event, len(probe.searched))
        known = isinstance(event, Identification)
        return event.record(self._identifications if known else self._human_review)

    def _observe(self, event: RecognitionEvent, shards: int) -> None:
        outcome = "review" if isinstance(event, ReviewItem) else "identified"
        reason = event.reason if isinstance(event, ReviewItem) else "within_threshold"
        cluster = UNCLUSTERED if event.cluster is None else event.cluster
        self._metrics.outcomes.labels(outcome, cluster, reason).inc()
        self._metrics.version.labels("model", event.model).set(1)
        self._metrics.shards_searched.observe(shards)
        if event.distance is not None:
            self._metrics.distance.labels(outcome).observe(event.distance)
        if event.margin is not None:
            self._metrics.margin.observe(event.margin)
        for stage in ("hop", "match", "total"):
            self._metrics.stage_seconds.labels(stage).observe(event.timings_ms[stage] / 1000)
