"""Places embeddings by their backgrounds, and says how each is searched for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recognition.cluster import cluster_name, cluster_of
from recognition.clusters import Assigned
from recognition.conditioning import Conditioning, place
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


class Placement(Protocol):
    """Places embeddings by their backgrounds. Pure: the same place for the same embedding."""

    @property
    def artefact(self) -> Artefact | None:
        """The conditioning that it places by, if any."""
        ...

    def space(self, model: str) -> str:
        """Return the space that a model's embeddings lie in."""
        ...

    def dimension(self, model: str) -> int | None:
        """Return the size that a model's embeddings must have, where that is known."""
        ...

    def place(self, model: str, vector: FloatVector, background: Background) -> PlacedEmbedding:
        """Place one embedding (d,) of unit norm.

        Raises:
            ValueError: it is not of the model's dimension.
        """
        ...

    def place_all(
        self, model: str, vectors: Vectors, backgrounds: Sequence[Background]
    ) -> list[PlacedEmbedding]:
        """Place n embeddings of one model, much faster than one by one."""
        ...

    def search_plans(
        self, model: str, embeddings: Sequence[Embedding], state: GalleryState
    ) -> list[SearchPlan]:
        """Return how n embeddings of one model are searched for in a gallery of this state."""
        ...


@dataclass(frozen=True, slots=True)
class PlainPlacement:
    """Embeddings as they are, in the clusters that the values of some variables make."""

    shard_by: tuple[str, ...] = ()

    @property
    def artefact(self) -> None:
        """None: no conditioning."""
        return

    def space(self, model: str) -> str:
        """Return the model's own space."""
        return space_of(model, None)

    def dimension(self, model: str) -> int | None:  # noqa: ARG002  any will do
        """Return None: not known."""
        return None

    def place(self, model: str, vector: FloatVector, background: Background) -> PlacedEmbedding:  # noqa: ARG002
        """Place an embedding where it is."""
        return PlacedEmbedding(cluster_of(background, self.shard_by), vector)

    def place_all(
        self, model: str, vectors: Vectors, backgrounds: Sequence[Background]
    ) -> list[PlacedEmbedding]:
        """Place embeddings where they are."""
        pairs = zip(vectors, backgrounds, strict=True)
        return [self.place(model, vector, background) for vector, background in pairs]

    def search_plans(
        self, model: str, embeddings: Sequence[Embedding], state: GalleryState
    ) -> list[SearchPlan]:
        """Search each in its own shard, by the threshold that the entries there set."""
        space, shards = self.space(model), state.models.get(model, {})
        return [plain_plan(placed, space, shards) for placed in _placed(self, model, embeddings)]


@dataclass(frozen=True, slots=True)
class FittedPlacement:
    """Embeddings of the artefact's model by its conditioning, and those of others plainly."""

    artefact: Artefact
    plain: PlainPlacement

    @property
    def conditioning(self) -> Conditioning:
        """What was fitted."""
        return self.artefact.conditioning

    def space(self, model: str) -> str:
        """Return the space under the artefact's version, or the model's own."""
        return space_of(model, self.artefact.version if self._is_for(model) else None)

    def dimension(self, model: str) -> int | None:
        """Return the size that the conditioning was fitted on."""
        return self.artefact.dimension if self._is_for(model) else None

    def place(self, model: str, vector: FloatVector, background: Background) -> PlacedEmbedding:
        """Place an embedding, its cluster named by number."""
        return self.place_all(model, vector[None], [background])[0]

    def place_all(
        self, model: str, vectors: Vectors, backgrounds: Sequence[Background]
    ) -> list[PlacedEmbedding]:
        """Place embeddings, their clusters named by number."""
        if not self._is_for(model):
            return self.plain.place_all(model, vectors, backgrounds)
        given, fitted = np.asarray(vectors, np.float32), self.conditioning
        assigned = fitted.clusters.assign(backgrounds)
        placed = place(given, assigned.cluster, fitted.statistics, fitted.cohort)
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
        """Search each by the conditioned distance, up to the threshold of its cluster."""
        if not self._is_for(model):
            return self.plain.search_plans(model, embeddings, state)
        space, shards = self.space(model), state.models.get(model, {})
        thresholds = state.thresholds.get(model, {})
        everyone = _placed(self, model, embeddings)
        levels = {
            cluster: level_from(self.artefact, cluster)
            for cluster in {placed.cluster for placed in everyone}
        }
        return [
            fitted_plan(placed, space, shards, thresholds, self.artefact, levels[placed.cluster])
            for placed in everyone
        ]

    def _is_for(self, model: str) -> bool:
        return model == self.artefact.model


def _placed(
    placement: Placement, model: str, embeddings: Sequence[Embedding]
) -> list[PlacedEmbedding]:
    backgrounds = [embedding.background for embedding in embeddings]
    vectors = np.stack([embedding.vector for embedding in embeddings])
    return placement.place_all(model, vectors, backgrounds)


class Placements:
    """Makes the placement that a gallery's state names; loads each artefact once."""

    def __init__(self, plain: PlainPlacement) -> None:
        self.plain = plain
        self._loaded: dict[ArtefactRef, FittedPlacement] = {}

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
            fitted = FittedPlacement(await asyncio.to_thread(_load, active), self.plain)
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
