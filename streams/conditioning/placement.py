"""Places embeddings by their backgrounds, and says how each is searched for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.cluster import cluster_name, cluster_of
from recognition.clusters import Assigned
from recognition.conditioning import place
from schemas.conditioning import ArtefactRef
from schemas.embedding import Embedding
from schemas.errors import DependencyDown, SetupError
from schemas.event import Background, FloatVector
from streams.conditioning.artefact import Artefact, load_artefact
from streams.conditioning.placed import PlacedEmbedding
from streams.conditioning.search_plan import SearchPlan, fitted_plan, level_from, plain_plan
from streams.index.base import GalleryState, space_of

Vectors = Sequence[FloatVector] | FloatVector
"""Embeddings of one size, each alone or as rows."""

_KEPT = 2  # artefacts: the active one, and the one before or after it

MIN_KNOWN = 0.5
"""Share of the background, by weight, that must be known for its cluster to be relied on."""

MIN_MEMBERSHIP = 0.5
"""How probable the nearest cluster must be, for it to be relied on."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Places embeddings by their backgrounds. Pure: the same place for the same embedding.

    Those of the model that a conditioning is for are placed by it, all others plainly: as they are,
    in the clusters that the values of some variables make.

    Attributes:
        shard_by: those variables.
        artefact: the conditioning; None places every model plainly.
    """

    shard_by: tuple[str, ...] = ()
    artefact: Artefact | None = None

    def space(self, model: str) -> str:
        """Return the space that a model's embeddings lie in."""
        fitted = self._for(model)
        return space_of(model, None if fitted is None else fitted.version)

    def dimension(self, model: str) -> int | None:
        """Return the size that a model's embeddings must have, where a conditioning tells it."""
        fitted = self._for(model)
        return None if fitted is None else fitted.dimension

    def place(self, model: str, vector: FloatVector, background: Background) -> PlacedEmbedding:
        """Place one embedding (d,) of unit norm.

        Raises:
            ValueError: it is not of the model's dimension.
        """
        return self.place_all(model, vector[None], [background])[0]

    def place_all(
        self, model: str, vectors: Vectors, backgrounds: Sequence[Background]
    ) -> list[PlacedEmbedding]:
        """Place n embeddings of one model, much faster than one by one."""
        fitted = self._for(model)
        if fitted is None:
            return [
                PlacedEmbedding(cluster_of(background, self.shard_by), vector)
                for vector, background in zip(vectors, backgrounds, strict=True)
            ]
        given, by = np.asarray(vectors, np.float32), fitted.conditioning
        assigned = by.clusters.assign(backgrounds)
        placed = place(given, assigned.cluster, by.statistics, by.cohort)
        sure = sure_of(assigned)
        return [
            PlacedEmbedding(cluster_name(int(cluster)), vector, float(scale), is_sure)
            for cluster, vector, scale, is_sure in zip(
                placed.clusters, placed.vectors, placed.scales, sure, strict=True
            )
        ]

    def search_plans(
        self, model: str, embeddings: Sequence[Embedding], state: GalleryState
    ) -> list[SearchPlan]:
        """Return how n embeddings of one model are searched for in a gallery of this state."""
        space, shards, fitted = self.space(model), state.models.get(model, {}), self._for(model)
        vectors = np.stack([embedding.vector for embedding in embeddings])
        everyone = self.place_all(model, vectors, [e.background for e in embeddings])
        if fitted is None:
            return [plain_plan(placed, space, shards) for placed in everyone]
        thresholds = state.thresholds.get(model, {})
        levels = {
            cluster: level_from(fitted, cluster)
            for cluster in {placed.cluster for placed in everyone}
        }
        return [
            fitted_plan(placed, space, shards, thresholds, fitted, levels[placed.cluster])
            for placed in everyone
        ]

    def _for(self, model: str) -> Artefact | None:
        """Return the conditioning where it is for this model."""
        artefact = self.artefact
        return artefact if artefact is not None and artefact.model == model else None


class Placements:
    """Makes the placement that a gallery's state names; loads each artefact once."""

    def __init__(self, shard_by: tuple[str, ...] = ()) -> None:
        self.plain = Placement(shard_by)
        self._loaded: dict[ArtefactRef, Placement] = {}

    async def of(self, state: GalleryState) -> Placement:
        """Return how the gallery's entries are placed.

        Raises:
            DependencyDown: the artefact cannot be read here.
        """
        try:
            return await self.under(state.conditioning)
        except SetupError as error:
            raise DependencyDown("conditioning", str(error)) from error

    async def under(self, active: ArtefactRef | None) -> Placement:
        """Return the placement under a conditioning; None is plain.

        Raises:
            SetupError: the artefact is missing or damaged, or is not the one that is named.
        """
        if active is None:
            return self.plain
        fitted = self._loaded.pop(active, None)
        if fitted is None:
            artefact = await asyncio.to_thread(_load, active)
            fitted = Placement(self.plain.shard_by, artefact)
        self._loaded[active] = fitted  # the last one is the one used last
        for oldest in list(self._loaded)[:-_KEPT]:
            del self._loaded[oldest]
        return fitted


def _load(active: ArtefactRef) -> Artefact:
    artefact = load_artefact(active.uri)
    held, wanted = (artefact.version, artefact.model), (active.version, active.model)
    if held != wanted:
        raise SetupError(
            f"{active.uri} holds version {held[0]} for model {held[1]}, not {wanted[0]} for "
            f"{wanted[1]}"
        )
    return artefact


def sure_of(assigned: Assigned) -> list[bool]:
    """Say of each background whether it tells its cluster well enough to search there first."""
    sure = (assigned.known >= MIN_KNOWN) & (assigned.membership.max(axis=1) >= MIN_MEMBERSHIP)
    return [bool(told) for told in sure]
