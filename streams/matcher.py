"""The matcher: embeddings in; identifications, or items for human review, out."""

import time
from collections.abc import Sequence

from recognition.cluster import UNCLUSTERED, cluster_of
from recognition.match import Decision, Neighbour, Verdict, decide
from schemas.embedding import Embedding, read_embedding
from schemas.errors import BadInput, DependencyDown
from schemas.metrics import Metrics
from schemas.recognition_event import (
    CandidateIdentity,
    Identification,
    ReviewItem,
    ReviewReason,
    ShardSearched,
)
from schemas.records import Record
from streams.index.base import EVERYWHERE, GalleryState, Index, Query, ShardState

ENOUGH_IDENTITIES = 2
"""A shard of fewer identities has no impostors, so it cannot have a threshold of its own."""


class Matcher:
    """Answers batches of embeddings with one pipelined round of index queries."""

    def __init__(
        self,
        index: Index,
        *,
        shard_by: Sequence[str],
        neighbours: int,
        identifications: str,
        human_review: str,
        metrics: Metrics,
    ) -> None:
        self._index = index
        self._shard_by = tuple(shard_by)
        self._neighbours = neighbours
        self._identifications = identifications
        self._human_review = human_review
        self._metrics = metrics

    async def handle(self, records: Sequence[Record]) -> list[Record]:
        """Return one identification or review item per embedding.

        Raises:
            BadInput: a record is no embedding.
            DependencyDown: the index cannot answer, or the gallery agent has not written it yet.
        """
        arrived = time.time()
        embeddings = [read_embedding(record) for record in records]
        state = await self._index.state()
        if state is None:
            raise DependencyDown("gallery", "the index is empty; the gallery agent must write it")
        for embedding in embeddings:
            _check_size(embedding, state)
        probes = [_Probe(e, state, cluster_of(e.background, self._shard_by)) for e in embeddings]
        found = await self._search([probe.query for probe in probes], state)
        spent = (time.time() - arrived) * 1000
        return [
            self._answer(probe, neighbours, arrived, spent)
            for probe, neighbours in zip(probes, found, strict=True)
        ]

    async def _search(
        self, queries: Sequence[Query], state: GalleryState
    ) -> list[tuple[Neighbour, ...]]:
        try:
            return await self._index.search(queries, self._neighbours, state.epoch)
        except DependencyDown:
            self._metrics.shard_timeouts.inc()
            raise

    def _answer(
        self, probe: "_Probe", neighbours: Sequence[Neighbour], arrived: float, spent: float
    ) -> Record:
        decision = decide(neighbours, probe.threshold)
        timings = _timings(probe.embedding, arrived, spent)
        self._observe(decision, probe, timings)
        if decision.verdict is Verdict.KNOWN:
            return probe.identification(decision, timings).record(self._identifications)
        return probe.review_item(decision, timings).record(self._human_review)

    def _observe(self, decision: Decision, probe: "_Probe", timings: dict[str, float]) -> None:
        outcome = "identified" if decision.verdict is Verdict.KNOWN else "review"
        reason = decision.reason if outcome == "identified" else probe.why(decision)
        cluster = UNCLUSTERED if probe.cluster is None else probe.cluster
        self._metrics.outcomes.labels(outcome, cluster, reason).inc()
        self._metrics.version.labels("model", probe.embedding.model).set(1)
        if decision.distance is not None:
            self._metrics.distance.labels(outcome).observe(decision.distance)
        if decision.margin is not None:
            self._metrics.margin.observe(decision.margin)
        for stage in ("hop", "match", "total"):
            self._metrics.stage_seconds.labels(stage).observe(timings[stage] / 1000)


class _Probe:
    """One embedding, the shards that it is looked up in, and the threshold that counts there."""

    def __init__(self, embedding: Embedding, state: GalleryState, cluster: str | None) -> None:
        self.embedding = embedding
        self.cluster = cluster
        self._state = state
        shards = state.models.get(embedding.model, {})
        own = shards.get(cluster) if cluster is not None else None
        judged_by = shards.get(EVERYWHERE)
        searched = _all_shards(shards)
        if cluster is not None and own is not None and own.identities >= ENOUGH_IDENTITIES:
            searched = _with_unclustered(cluster, shards)
            # More entries are more impostors: beside the unclustered ones the own threshold,
            # which does not count them, would promise too much.
            judged_by = own if searched == (cluster,) else judged_by
        self.threshold = None if judged_by is None else judged_by.threshold
        self.query = Query(embedding.vector, embedding.model, searched)
        self._searched = tuple(
            ShardSearched(cluster=name, entries=shards[name].entries) for name in searched
        )

    def identification(self, decision: Decision, timings: dict[str, float]) -> Identification:
        """Return the event for a known probe."""
        return Identification.model_validate(
            {**self._provenance(decision, timings), "identity": decision.identity}
        )

    def review_item(self, decision: Decision, timings: dict[str, float]) -> ReviewItem:
        """Return the event for a probe that a person should see."""
        return ReviewItem.model_validate(
            {
                **self._provenance(decision, timings),
                "reason": self.why(decision),
                "vector": self.embedding.vector,
            }
        )

    def why(self, decision: Decision) -> ReviewReason:
        """Return the reason for review; a gallery of another model is no mere 'unknown'."""
        others = [m for m in self._state.models if m != self.embedding.model]
        if others and self.embedding.model not in self._state.models:
            return ReviewReason.OTHER_MODEL
        return ReviewReason(decision.reason)

    def _provenance(self, decision: Decision, timings: dict[str, float]) -> dict[str, object]:
        embedding = self.embedding
        return {
            "event_id": embedding.event_id,
            "source": embedding.source,
            "captured_at": embedding.captured_at,
            "background": embedding.background,
            "region": embedding.region,
            "distance": decision.distance,
            "threshold": decision.threshold,
            "margin": decision.margin,
            "candidates": tuple(
                CandidateIdentity(
                    identity=c.identity, distance=c.distance, votes=c.votes, entry_id=c.entry_id
                )
                for c in decision.candidates
            ),
            "cluster": self.cluster,
            "shards": self._searched,
            "model": embedding.model,
            "gallery_position": self._state.position,
            "timings_ms": timings,
        }


def _check_size(embedding: Embedding, state: GalleryState) -> None:
    size = state.dimensions.get(embedding.model)
    if size not in (None, embedding.vector.size):
        message = f"{embedding.vector.size} numbers; entries of {embedding.model} have {size}"
        raise BadInput("bad_vector", message)


def _with_unclustered(cluster: str, shards: dict[str, ShardState]) -> tuple[str, ...]:
    """Entries whose background does not tell their cluster could belong to any."""
    return (cluster, UNCLUSTERED) if UNCLUSTERED in shards else (cluster,)


def _all_shards(shards: dict[str, ShardState]) -> tuple[str, ...]:
    return tuple(sorted(name for name in shards if name != EVERYWHERE))


def _timings(embedding: Embedding, arrived: float, spent: float) -> dict[str, float]:
    """Return milliseconds per stage, the matcher's and the total included."""
    stages = dict(embedding.timings_ms)
    sent = stages.pop("sent_at", arrived * 1000)
    published = stages.pop("published_at", sent)
    done = arrived * 1000 + spent
    stages |= {"hop": max(arrived * 1000 - sent, 0), "match": spent}
    return {name: round(ms, 3) for name, ms in {**stages, "total": done - published}.items()}
