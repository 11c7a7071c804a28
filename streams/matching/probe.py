"""One embedding that is to be recognised: where it lies, where it is looked up, what was found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from recognition.cluster import EVERYWHERE, UNCLUSTERED, cluster_name, cluster_number
from recognition.conditioning import levels_between
from recognition.include import contested
from recognition.match import Decision, Neighbour, Verdict, decide
from recognition.rerank import rerank
from schemas.embedding import Embedding
from schemas.errors import BadInput
from streams.conditioning.artefact import Artefact
from streams.conditioning.placement import Placement, Spot
from streams.index.base import GalleryState, Query
from streams.matching.search_plan import Look, fitted_look, plain_look

FETCHED = 2
"""So many times k neighbours are fetched from a shard where distances are conditioned: the nearest
by the cosine are not quite the nearest by the conditioned distance."""

Level = Callable[[str], float]
"""From the name of an entry's cluster to the level between the probe's cluster and that."""


@dataclass(slots=True, eq=False)
class Probe:
    """An embedding on its way through the index.

    Attributes:
        embedding: as it came.
        spot: where it lies.
        space: the space that it is compared in.
        look: where it is looked up, and its threshold.
        level: how near strangers come, by the cluster of the entry.
        artefact: the conditioning that it is compared by, None if it is plain.
        k: how many neighbours vote.
        searched: the shards that have been searched.
        decision: by what was found in them.
    """

    embedding: Embedding
    spot: Spot
    space: str
    look: Look
    level: Level
    artefact: Artefact | None
    k: int
    searched: tuple[str, ...] = ()
    decision: Decision = field(init=False)
    _found: list[Neighbour] = field(default_factory=list)

    @property
    def cluster(self) -> str | None:
        """The cluster's name, None where the background does not tell it."""
        return None if self.spot.cluster == UNCLUSTERED else self.spot.cluster

    @property
    def fetched(self) -> int:
        """How many neighbours a query should bring."""
        return self.k if self.artefact is None else FETCHED * self.k

    @property
    def unsettled(self) -> bool:
        """Whether the remaining shards must be searched too.

        Not if all who vote within the threshold are of one identity: what lies elsewhere could not
        make a known probe unknown.
        """
        decision = self.decision
        settled = decision.verdict is Verdict.KNOWN and not contested(decision)
        return bool(self.look.rest) and not settled

    def queries(self, shards: tuple[str, ...]) -> list[Query]:
        """Return what to ask the index.

        Conditioned, each shard is asked alone: distances of two clusters are not comparable before
        their level is known, and the index would keep the nearest of both.
        """
        groups = [shards] if self.artefact is None else [(shard,) for shard in shards]
        return [Query(self.spot.vector, self.space, group) for group in groups]

    def take(self, neighbours: Iterable[Neighbour], shards: tuple[str, ...]) -> None:
        """Take in what these shards hold, and decide by all that was found so far."""
        self._found.extend(neighbours)
        self.searched = tuple(sorted((*self.searched, *shards)))
        nearest = rerank(self._found, self.spot.scale, self.level, self.k)
        self.decision = decide(nearest, self.look.threshold)


def probes_of(
    embeddings: Sequence[Embedding], state: GalleryState, placement: Placement, k: int
) -> list[Probe]:
    """Place embeddings of any models, and say where each is to be looked up.

    Raises:
        BadInput: ``bad_vector`` for one of another size than its model's, where more than one
            entry tells that size.
    """
    found: dict[int, Probe] = {}
    alike = sorted(enumerate(embeddings), key=lambda pair: _kind(pair[1]))
    for (model, size), pairs in groupby(alike, key=lambda pair: _kind(pair[1])):
        places, some = zip(*pairs, strict=True)
        known = state.dimensions.get(model, placement.dimension(model))
        if known in (None, size):
            made = _of_model(model, some, state, placement, k)
        elif single_entry(state, model):
            made = _incomparable(model, some, placement, k)
        else:
            raise BadInput("bad_vector", f"{size} numbers; entries of {model} have {known}")
        found |= zip(places, made, strict=True)
    return [found[place] for place in range(len(embeddings))]


def _of_model(
    model: str, embeddings: Sequence[Embedding], state: GalleryState, placement: Placement, k: int
) -> Iterator[Probe]:
    backgrounds = [embedding.background for embedding in embeddings]
    spots = placement.place_all(model, np.stack([e.vector for e in embeddings]), backgrounds)
    shards, space = state.models.get(model, {}), placement.space(model)
    artefact = placement.artefact
    if artefact is None or artefact.model != model:
        for embedding, spot in zip(embeddings, spots, strict=True):
            look = plain_look(shards, spot.cluster)
            yield Probe(embedding, spot, space, look, _flat, None, k)
        return
    thresholds = state.thresholds.get(model, {})
    levels = {name: level_from(artefact, name) for name in {spot.cluster for spot in spots}}
    for embedding, spot in zip(embeddings, spots, strict=True):
        look = fitted_look(shards, thresholds, spot.cluster, sure=spot.sure)
        yield Probe(embedding, spot, space, look, levels[spot.cluster], artefact, k)


def single_entry(state: GalleryState, model: str) -> bool:
    """Whether the size of a model's vectors is told by one entry alone, which may be the wrong one.

    The first enrolment may have been a mistake; a person who names another one decides.
    """
    fitted = state.conditioning is not None and state.conditioning.model == model
    everywhere = state.models.get(model, {}).get(EVERYWHERE)
    return not fitted and everywhere is not None and everywhere.entries == 1


def _incomparable(
    model: str, embeddings: Sequence[Embedding], placement: Placement, k: int
) -> Iterator[Probe]:
    """Yield probes that nothing can be compared with: they are looked up nowhere."""
    for embedding in embeddings:
        spot = placement.place(model, embedding.vector, embedding.background)
        yield Probe(embedding, spot, placement.space(model), Look(None, ()), _flat, None, k)


def _kind(embedding: Embedding) -> tuple[str, int]:
    return embedding.model, embedding.vector.size


def level_from(artefact: Artefact, cluster: str) -> Level:
    """Return the levels from a probe's cluster to those of entries, by their names."""
    conditioning = artefact.conditioning
    entries = np.arange(-1, conditioning.k)
    row = levels_between(conditioning.levels, np.array([cluster_number(cluster)]), entries)[0]
    names = (cluster_name(int(number)) for number in entries)
    return dict(zip(names, row.tolist(), strict=True)).__getitem__


def _flat(_: str) -> float:
    return 1.0
