"""However few shards the matcher asks, it knows whom one exact search of all would know."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from recognition.cluster import EVERYWHERE, UNCLUSTERED
from recognition.conditioning import Cohort, conditioned
from recognition.distance import FloatArray
from schemas.metrics import Metrics
from schemas.recognition_event import Identification
from streams.conditioning.placed import PlacedEmbedding, joined
from streams.index.base import IndexEntry
from tests.gallery_entries import unit
from tests.property.examples import examples
from tests.unit.conditioned import (
    DAY,
    DUSK,
    LIGHT_ONLY,
    NIGHT,
    SIZE,
    Given,
    active,
    artefact,
    placed,
    statistics_of,
)
from tests.unit.matcher_probes import Watched, fill, matched, matcher_on, probe

K = 2
PROBES = 12
BACKGROUNDS = [DAY, DUSK, NIGHT, LIGHT_ONLY, {}]
CLUSTERS = ["c0", "c1", "c2", UNCLUSTERED]
NEAR_TIE = 1e-4  # the oracle is float32


class World:
    """A random conditioning, gallery and probes. No shard holds more than is fetched of it."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.artefact = artefact(
            levels=10 ** rng.uniform(-1, 1, (3, 3)),
            statistics=statistics_of(rng.normal(0, 0.3, (3, SIZE))),
            cohort=Cohort(np.stack([unit(rng.normal(size=SIZE)) for _ in range(12)])),
            spread=float(rng.choice([0.1, 1.0])),
        )
        self.taus = {name: float(rng.uniform(0, 0.4)) for name in ("c0", "c1", "c2", EVERYWHERE)}
        self.entries = [
            placed(f"{name}-{i}", f"id {rng.integers(4)}", rng.normal(size=SIZE), name, scale)
            for name in CLUSTERS
            for i, scale in enumerate(rng.uniform(0.5, 2, rng.integers(0, 2 * K + 1)).tolist())
        ]
        self.vectors = np.stack([unit(rng.normal(size=SIZE)) for _ in range(PROBES)])
        self.backgrounds = [BACKGROUNDS[i] for i in rng.integers(len(BACKGROUNDS), size=PROBES)]

    def distances(self) -> FloatArray:
        """Return the conditioned distances of the probes to all entries."""
        conditioning = self.artefact.conditioning
        probes = conditioning.place(self.vectors, self.backgrounds)
        entries = joined([PlacedEmbedding(e.cluster, e.vector, e.scale) for e in self.entries])
        return conditioned(probes, entries, conditioning.levels)


async def answered(world: World) -> list[tuple[str, str | None, set[str]]]:
    index = Watched()
    await fill(index, world.entries, active=active(), by_probe=world.taus)
    metrics = Metrics(CollectorRegistry())
    matcher = matcher_on(index, metrics, neighbours=K, placements=Given(world.artefact))
    records = [
        probe(str(i), vector, background=background)
        for i, (vector, background) in enumerate(zip(world.vectors, world.backgrounds, strict=True))
    ]
    events = await matched(matcher, *records)
    assert len(index.rounds) <= 2
    return [
        (
            EVERYWHERE if event.cluster is None else event.cluster,
            event.identity if isinstance(event, Identification) else None,
            {shard.cluster for shard in event.shards},
        )
        for event in events
    ]


def within(entries: list[IndexEntry], row: FloatArray, tau: float) -> set[str]:
    return {e.identity for e, distance in zip(entries, row, strict=True) if distance <= tau}


@given(st.integers(0, 2**32 - 1))
@examples(150)
def test_known_is_who_one_exact_search_over_everything_knows(seed: int) -> None:
    world = World(seed)
    if not world.entries:
        return
    shards = {e.cluster for e in world.entries}
    for row, (cluster, name, searched) in zip(
        world.distances(), asyncio.run(answered(world)), strict=True
    ):
        tau = world.taus[cluster]
        if np.abs(row - tau).min() < NEAR_TIE:
            continue
        found = within(world.entries, row, tau)
        assert (name is not None) == bool(found)
        assert name is None or name in found
        if searched != shards:
            assert searched == {cluster}
            own = [i for i in np.argsort(row) if world.entries[i].cluster == cluster][:K]
            voters = within([world.entries[i] for i in own], row[own], tau)
            assert voters == {name}, "alone within the threshold among those who vote"


@given(st.integers(0, 2**32 - 1))
@examples(30)
def test_one_by_one_they_are_answered_as_together(seed: int) -> None:
    world = World(seed)
    together = asyncio.run(answered(world))
    vectors, backgrounds = world.vectors, world.backgrounds
    for i, answer in enumerate(together[:4]):
        world.vectors, world.backgrounds = vectors[i : i + 1], backgrounds[i : i + 1]
        assert asyncio.run(answered(world)) == [answer]
