"""Made-up identities: unit vectors to enrol, and probes of the same identities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from schemas.event import FloatVector

SHOTS = 10
"""Entries of an identity; they lie in as many different shards as there are."""

SPREAD = 0.7
"""Length of the noise on the unit vector of an identity: cosine within it 1 / (1 + 0.7²) = .67."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Entries and probes, and how they lie in a given number of shards.

    Attributes:
        entries: (n, d) unit vectors; row i is of identity i // 10, and in shard i modulo k.
        probes: (p, d) unit vectors, each of the identity of one of the entries.
        shown: (p,) which entry that is; the probe's own shard is that entry's.
    """

    entries: FloatVector
    probes: FloatVector
    shown: NDArray[np.intp]

    @classmethod
    def draw(cls, entries: int, probes: int, dimension: int, rng: np.random.Generator) -> Self:
        """Draw identities all over the sphere, and entries and probes around them."""

        def near(centres: FloatVector) -> FloatVector:
            noise = rng.standard_normal(centres.shape, dtype=np.float32)
            return _unit(centres + noise * np.float32(SPREAD / dimension**0.5))

        identities = -(-entries // SHOTS)
        centres = _unit(rng.standard_normal((identities, dimension), dtype=np.float32))
        shown = rng.integers(entries, size=probes)
        enrolled = near(centres[np.arange(entries) // SHOTS])
        return cls(enrolled, near(centres[shown // SHOTS]), shown)

    def searched(self, probe: int, shards: int, count: int) -> tuple[int, ...]:
        """Return the shards that a probe is looked up in: its own and the ones after it."""
        own = int(self.shown[probe]) % shards
        return tuple((own + step) % shards for step in range(count))

    def exact(self, shards: int, count: int, k: int) -> list[tuple[int, ...]]:
        """Return per probe the k truly nearest entries of the searched shards, nearest first."""
        similar = self.probes @ self.entries.T
        shard_of = np.arange(len(self.entries)) % shards
        found = []
        for probe, row in enumerate(similar):
            held = np.flatnonzero(np.isin(shard_of, self.searched(probe, shards, count)))
            if k < held.size:
                held = held[np.argpartition(-row[held], k)[:k]]
            found.append(tuple(held[np.argsort(-row[held])].tolist()))
        return found


def recall(found: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]], k: int) -> float:
    """Return the share of the first k wanted entries that are among the first k found ones."""
    hits = sum(len({*f[:k]} & {*w[:k]}) for f, w in zip(found, wanted, strict=True))
    return hits / sum(len(w[:k]) for w in wanted)


def _unit(vectors: FloatVector) -> FloatVector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
