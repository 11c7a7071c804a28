"""What the agents need of an index. Redis is a view of the gallery: only the agent writes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from recognition.cluster import EVERYWHERE, Cluster
from recognition.decision import Neighbour
from schemas.conditioning import ArtefactRef
from schemas.errors import DependencyDown
from schemas.event import FloatVector

ROUNDING = 1e-5
"""How far numbers in the index may be from ours: placed one by one they are rounded otherwise."""


def space_of(model: str, conditioning: str | None) -> str:
    """Return the name of the space of a model, under a conditioning of this version or plain."""
    return model if conditioning is None else f"{model}+{conditioning}"


class IndexDiffers(DependencyDown):
    """The index does not hold what its state says: for an instant, or because it lost entries."""

    def __init__(self, message: str) -> None:
        super().__init__("index", message)


class ShardState(BaseModel):
    """How many entries and identities a shard holds, and its threshold if it has its own."""

    model_config = ConfigDict(frozen=True)

    entries: int
    identities: int
    threshold: float | None


class GalleryState(BaseModel):
    """What the index holds, written together with the entries.

    A *space* is what embeddings that can be compared share: the model version, and the
    conditioning's version where one is active for this model.

    Attributes:
        epoch: changes when the index was made anew; a search that sees two epochs is repeated.
        position: offset on ``gallery`` of the last change that is in the index, -1 if none.
        models: per model version and cluster (and ``*`` for all its clusters) the shard's state.
        dimensions: per model version the size of its vectors.
        conditioning: whose artefact the entries are placed by; None where every model is plain.
        thresholds: of the model that the conditioning is for, by the cluster of the *probe* (and
            ``*`` for probes of no cluster): the conditioned distance up to which it is known,
            whatever shards are searched.
    """

    model_config = ConfigDict(frozen=True)

    epoch: str
    position: int
    models: dict[str, dict[Cluster, ShardState]]
    dimensions: dict[str, int] = Field(default_factory=dict)
    conditioning: ArtefactRef | None = None
    thresholds: dict[str, dict[Cluster, float]] = Field(default_factory=dict)

    def space(self, model: str) -> str:
        """Return the space that the entries of a model lie in."""
        active = self.conditioning
        version = active.version if active is not None and active.model == model else None
        return space_of(model, version)

    def has_single_entry(self, model: str) -> bool:
        """Whether one entry alone tells the size of a model's vectors, which may be the wrong one.

        The first enrolment may have been a mistake; a person who names another one decides.
        """
        fitted = self.conditioning is not None and self.conditioning.model == model
        everywhere = self.models.get(model, {}).get(EVERYWHERE)
        return not fitted and everywhere is not None and everywhere.entries == 1

    @property
    def shards(self) -> dict[tuple[str, Cluster], int]:
        """How many entries each shard holds, by space and cluster."""
        return {
            (self.space(model), cluster): shard.entries
            for model, shards in self.models.items()
            for cluster, shard in shards.items()
            if cluster != EVERYWHERE
        }


@dataclass(frozen=True, slots=True, eq=False)
class IndexEntry:
    """An active entry as it is searched: its vector and local scale as placed in its space."""

    entry_id: str
    identity: str
    space: str
    cluster: Cluster
    vector: FloatVector
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One probe, placed, and the shards to search: clusters of its space."""

    vector: FloatVector
    space: str
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, slots=True)
class IndexKey:
    """Where an entry that is no longer active lies."""

    entry_id: str
    space: str
    cluster: Cluster


class Index(Protocol):
    """Vector shards, one per (space, cluster).

    Every method raises ``DependencyDown`` when an answer would be missing, late or partial:
    nothing of that kind is ever returned as an empty result.

    Whatever changes the index takes the writer's ``term``. The index remembers the highest term
    that has written, and refuses a lower one with ``DependencyDown``: a writer that was paused
    while another took over cannot spoil what that one wrote. Term 0 leaves no trace.
    """

    async def state(self) -> GalleryState | None:
        """Return what the index holds; ``None`` when that was lost, or cannot be read."""
        ...

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Return for each query the k nearest entries of all its shards together, nearest first.

        Nearest by the cosine distance of the vectors as they lie there; scales come along.

        Raises:
            IndexDiffers: a searched shard holds or returned fewer entries, or more, than the state
                says, or the index is of another epoch.
        """
        ...

    async def fill(self, active: Sequence[IndexEntry], term: int = 0) -> None:
        """Put entries into shards that searches do not see before a state names them."""
        ...

    async def holds(self, state: GalleryState) -> bool:
        """Tell whether every shard that the state names holds as many entries as it says."""
        ...

    async def altered(self, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """Return those of the entries that the index lacks, or holds otherwise than given."""
        ...

    async def expel(
        self,
        state: GalleryState,
        belongs: Callable[[IndexKey], bool],
        share: float,
        term: int = 0,
    ) -> list[str]:
        """Look through the next ``share`` of all keys; remove and name those that do not belong."""
        ...

    async def write(
        self,
        active: Sequence[IndexEntry],
        gone: Sequence[IndexKey],
        state: GalleryState,
        term: int = 0,
    ) -> None:
        """Remove and then put entries together with the state: searches see all of it or none.

        Of very many entries only the last few hundred; until then searches are refused.
        """
        ...

    async def sweep(self, state: GalleryState, term: int = 0) -> None:
        """Drop every shard, with its entries, that the state does not name."""
        ...

    async def clear(self, term: int = 0) -> None:
        """Remove everything but the term, the state first."""
        ...

    async def eviction(self) -> str | None:
        """Say why entries may be dropped when memory is short; ``None`` where they may not."""
        ...

    async def term(self) -> int:
        """Return the highest term that has written, 0 if none has."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def taken_over(held: int, term: int) -> DependencyDown:
    """Return the error for a writer whose term is over."""
    return DependencyDown(
        "gallery", f"taken over: the index is written in term {held}, ours is {term}"
    )
