"""The matcher: embeddings in; identifications, or items for human review, out."""

import time
from collections.abc import Sequence
from itertools import chain, islice

from recognition.match import decide
from schemas.embedding import read_embedding
from schemas.metrics import Metrics
from schemas.records import Record
from schemas.settings import Settings
from streams.conditioning.placement import Placements
from streams.index.base import Index, Query
from streams.index.differing import while_it_differs, written_state
from streams.matching.events import answer, topic_of
from streams.matching.gauges import MatcherGauges
from streams.matching.probe import Probe, probes_of
from streams.matching.self_enrolment import Includer


class Matcher:
    """Answers batches of embeddings with one or two pipelined rounds of index queries.

    Args:
        patience_s: how long a search is repeated while the index differs from its state, as it
            does for an instant while it is made anew.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        index: Index,
        placements: Placements,
        *,
        patience_s: float = 1.0,
    ) -> None:
        self._settings = settings
        self._index = index
        self._placements = placements
        self._gauges = MatcherGauges(metrics, settings.max_clusters)
        self._includer = Includer(settings, metrics)
        self._patience_s = patience_s

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
        async for attempt in while_it_differs(self._patience_s):
            with attempt:
                state = await written_state(self._index)
                placement = await self._placements.of(state)
                probes = probes_of(embeddings, state, placement, self._settings.neighbours)
                await self._search(probes, state.epoch)
        spent = (time.time() - arrived) * 1000
        events = [answer(probe, state, arrived, spent) for probe in probes]
        self._gauges.follow(placement, probes, events)
        answers = [event.record(self._settings.topic(topic_of(event))) for event in events]
        return [*answers, *self._includer.commands(probes)]

    async def _search(self, probes: Sequence[Probe], epoch: str) -> None:
        """Search where each probe is most likely found, then elsewhere for the unsettled ones."""
        await self._decide([(probe, probe.plan.first) for probe in probes], epoch)
        unsettled = [(probe, probe.plan.rest) for probe in probes if not probe.settled]
        if unsettled:
            await self._decide(unsettled, epoch)

    async def _decide(self, asked: Sequence[tuple[Probe, Sequence[Query]]], epoch: str) -> None:
        """Ask the index, and decide by all that was found so far."""
        queries = [query for _, own in asked for query in own]
        k = max((probe.fetched for probe, _ in asked), default=self._settings.neighbours)
        with self._gauges.counting_failures():
            answers = iter(await self._index.search(queries, k, epoch))
        for probe, own in asked:
            probe.take(chain.from_iterable(islice(answers, len(own))), own)
            probe.decision = decide(probe.nearest(), probe.plan.threshold)
