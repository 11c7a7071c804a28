"""What the agents need of an index. Redis is a view of the gallery: only the agent writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from recognition.match import Neighbour
from schemas.event import FloatVector
from schemas.gallery import GalleryEntry

EVERYWHERE = "*"
"""Stands for all clusters of a model, where a number is about the whole gallery."""


class ShardState(BaseModel):
    """How many entries and identities a shard holds, and its threshold."""

    model_config = ConfigDict(frozen=True)

    entries: int
    identities: int
    threshold: float | None


class GalleryState(BaseModel):
    """What the index holds, written together with the entries.

    Attributes:
        epoch: changes when the index was made anew; a search that sees two epochs is repeated.
        position: offset on ``gallery`` of the last change that is in the index, -1 if none.
        models: per model version and cluster (and ``*`` for all its clusters) the shard's state.
        dimensions: per model version the size of its vectors.
    """

    model_config = ConfigDict(frozen=True)

    epoch: str
    position: int
    models: dict[str, dict[str, ShardState]]
    dimensions: dict[str, int] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One probe and the shards to search: the clusters of its model."""

    vector: FloatVector
    model: str
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """Where an entry that is no longer active lies."""

    entry_id: str
    model: str
    cluster: str


class Index(Protocol):
    """Vector shards, one per (model version, cluster).

    Every method raises ``DependencyDown`` when an answer would be missing, late or partial:
    nothing of that kind is ever returned as an empty result.
    """

    async def state(self) -> GalleryState | None:
        """Return what the index holds; ``None`` when nothing was ever written (or it was lost)."""
        ...

    async def search(
        self, queries: Sequence[Query], k: int, epoch: str
    ) -> list[tuple[Neighbour, ...]]:
        """Return for each query the k nearest entries of all its shards together, nearest first."""
        ...

    async def write(
        self, active: Sequence[GalleryEntry], gone: Sequence[Location], state: GalleryState
    ) -> None:
        """Put and remove entries, then the state: after that, searches see both."""
        ...

    async def clear(self) -> None:
        """Remove everything, the state first."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
