"""By what distance the matcher judges under a conditioning, and who votes."""

import numpy as np
import pytest

from recognition.conditioning import Cohort
from schemas.metrics import Metrics
from streams.matching.matcher import Matcher
from tests.gallery_entries import unit
from tests.unit.conditioned import (
    DAY,
    DUSK,
    NIGHT,
    Given,
    active,
    artefact,
    placed,
    statistics_of,
)
from tests.unit.matcher_probes import (
    AXES,
    Watched,
    fill,
    identity,
    matched,
    matcher_on,
    one,
    probe,
)

OAK_AND_ELM = [
    placed("oak-d", "oak", AXES[0] + 0.2 * AXES[3]),
    placed("elm-d", "elm", AXES[1]),
]


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
def placements() -> Given:
    return Given(artefact())


@pytest.fixture
def matcher(index: Watched, metrics: Metrics, placements: Given) -> Matcher:
    return matcher_on(index, metrics, placements=placements)


async def test_distances_are_relative_to_level_and_scales(
    matcher: Matcher, index: Watched, placements: Given
) -> None:
    placements.given = artefact(levels=((1, 1, 1), (1, 1, 1), (4.0, 1, 1)))
    seen = probe(vector=AXES[0] + 0.2 * AXES[3], background=NIGHT)
    entries = [placed("elm-n", "elm", AXES[1], "c2"), placed("oak-d", "oak", AXES[0], scale=0.25)]
    await fill(index, entries, active=active(), by_probe={"c2": 0.02})
    event = await one(matcher, seen)
    cosine = 1 - 1 / np.sqrt(1 + 0.2**2)
    assert identity(event) == "oak"
    assert event.distance == pytest.approx(cosine / (0.5 * 4), rel=1e-4)
    assert event.candidates[0].distance == event.distance
    assert event.margin == pytest.approx(1 - cosine / 2, abs=1e-4)


async def test_where_the_probe_lies_crowded_near_means_little(
    matcher: Matcher, index: Watched, placements: Given
) -> None:
    placements.given = artefact(cohort=Cohort(unit(AXES[0] + AXES[1])[None]))
    await fill(index, OAK_AND_ELM, active=active(), by_probe={"c0": 0.05})
    event = await one(matcher, probe(background=DAY))
    cosine, scale = 1 - 1 / np.sqrt(1 + 0.2**2), 1 - np.sqrt(0.5)
    assert event.distance == pytest.approx(cosine / np.sqrt(scale), rel=1e-4)


async def test_embeddings_are_standardised_within_their_cluster(
    matcher: Matcher, index: Watched, placements: Given
) -> None:
    """What all images of a night share is taken out before they are compared."""
    placements.given = artefact(statistics=statistics_of([[0] * 4, [0] * 4, AXES[3] * 0.5]))
    await fill(index, OAK_AND_ELM, active=active(), by_probe={"c2": 0.05, "c0": 0.05})
    dark = 0.8 * AXES[1] + 0.5 * AXES[3]
    dark[2] = np.sqrt(1 - dark @ dark)
    by_night, by_day = await matched(
        matcher, probe("n", dark, background=NIGHT), probe("d", dark, background=DAY)
    )
    assert identity(by_night) is None
    assert by_night.distance == pytest.approx(1 - 0.8 / np.sqrt(0.75), abs=1e-6)
    assert by_day.distance == pytest.approx(0.2, abs=1e-6)


async def test_the_nearest_of_each_shard_count_however_far_another_shard_lies(
    index: Watched, metrics: Metrics
) -> None:
    """By the cosine alone the crowd by day would fill all places."""
    levels = ((1, 1, 1), (1, 1, 9.0), (1, 1, 1))
    crowd = [placed(f"elm-{i}", "elm", AXES[0] + AXES[1] * (1 + i / 9)) for i in range(8)]
    far = placed("oak-n", "oak", AXES[0] + 2 * AXES[2], "c2")
    matcher = matcher_on(index, metrics, placements=Given(artefact(levels=levels)), neighbours=2)
    await fill(index, [*crowd, far], active=active(), by_probe={"c1": 0.1})
    event = await one(matcher, probe(background=DUSK))
    assert identity(event) == "oak"
    assert index.k == {4}
    assert [[q.clusters for q in queries] for queries in index.rounds] == [[("c0",), ("c2",)]]


async def test_only_the_k_nearest_vote(index: Watched, metrics: Metrics) -> None:
    near = placed("oak", "oak", AXES[0])
    crowd = [placed(f"elm-{i}", "elm", AXES[0] + 0.3 * AXES[1]) for i in range(9)]
    await fill(index, [near, *crowd], active=active(), by_probe={"c0": 0.1})
    names = []
    for k in (1, 10):
        matcher = matcher_on(index, metrics, placements=Given(artefact()), neighbours=k)
        names.append(identity(await one(matcher, probe(background=DAY))))
    assert names == ["oak", "elm"]
