"""One embedding that is to be recognised: how it is searched for, and what was found."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from recognition.cluster import Cluster
from recognition.decision import Decision, Neighbour, Verdict, contested
from recognition.match import rerank
from schemas.embedding import Embedding
from schemas.errors import BadInput
from streams.conditioning.placement import Placement
from streams.conditioning.search_plan import SearchPlan
from streams.index.base import GalleryState, Query


@dataclass(slots=True, eq=False)
class Probe:
    """An embedding on its way through the index.

    Attributes:
        embedding: as it came.
        plan: how it is searched for.
        k: how many neighbours vote.
        searched: the shards that have been searched.
        decision: by what was found in them.
    """

    embedding: Embedding
    plan: SearchPlan
    k: int
    searched: tuple[Cluster, ...] = ()
    decision: Decision = field(init=False)
    _neighbours: list[Neighbour] = field(default_factory=list)

    @property
    def fetched(self) -> int:
        """How many neighbours a query should bring."""
        return self.plan.fetched * self.k

    @property
    def settled(self) -> bool:
        """Whether no other shard needs to be searched.

        So it is if all who vote within the threshold are of one identity: what lies elsewhere could
        not make a known probe unknown.
        """
        decision = self.decision
        known = decision.verdict is Verdict.KNOWN and not contested(decision)
        return known or not self.plan.rest

    def take(self, neighbours: Iterable[Neighbour], queries: Iterable[Query]) -> None:
        """Take in what these queries brought."""
        self._neighbours.extend(neighbours)
        asked = (cluster for query in queries for cluster in query.clusters)
        self.searched = tuple(sorted((*self.searched, *asked)))

    def nearest(self) -> tuple[Neighbour, ...]:
        """Return who votes: the nearest of all that was found so far."""
        plan = self.plan
        return rerank(self._neighbours, plan.placed.scale, plan.level, self.k)


def probes_of(
    embeddings: Sequence[Embedding], state: GalleryState, placement: Placement, k: int
) -> list[Probe]:
    """Plan the search for embeddings of any models, those of one model together.

    Raises:
        BadInput: ``bad_vector`` for one of another size than its model's, where more than one
            entry tells that size.
    """
    probes: dict[int, Probe] = {}
    alike = sorted(enumerate(embeddings), key=lambda pair: _model_and_size(pair[1]))
    for _, pairs in groupby(alike, key=lambda pair: _model_and_size(pair[1])):
        places, members = zip(*pairs, strict=True)
        plans = _plans(members, state, placement)
        for place, embedding, plan in zip(places, members, plans, strict=True):
            probes[place] = Probe(embedding, plan, k)
    return [probes[place] for place in range(len(embeddings))]


def _plans(
    embeddings: Sequence[Embedding], state: GalleryState, placement: Placement
) -> list[SearchPlan]:
    """Plan for embeddings of one model and size; what nothing can be compared with asks nobody."""
    model, size = _model_and_size(embeddings[0])
    known = state.dimensions.get(model, placement.dimension(model))
    if known in (None, size):
        return placement.search_plans(model, embeddings, state)
    if not state.has_single_entry(model):
        raise BadInput("bad_vector", f"{size} numbers; entries of {model} have {known}")
    return [
        SearchPlan(placement.place(model, e.vector, e.background), threshold=None, first=())
        for e in embeddings
    ]


def _model_and_size(embedding: Embedding) -> tuple[str, int]:
    return embedding.model, embedding.vector.size
