"""What the metrics say of the conditioning: its version, the drift, and how far probes look."""

from typing import Any

import numpy as np
import pytest

from recognition.cluster import EVERYWHERE
from recognition.statistics import Moments, drift
from schemas.metrics import Metrics
from schemas.records import Record
from streams.matching.gauges import EVERY, RECENT
from streams.matching.matcher import Matcher
from tests.gallery_entries import unit
from tests.index_entries import entry
from tests.unit.conditioned import (
    DAY,
    NIGHT,
    Given,
    active,
    artefact,
    placed,
    sample,
    statistics_of,
)
from tests.unit.matcher_probes import AXES, Watched, fill, matcher_on, probe

STATISTICS = statistics_of([AXES[0], AXES[1], AXES[2]])


@pytest.fixture
async def index() -> Watched:
    made = Watched()
    gallery = [placed("oak", "oak", AXES[3]), placed("elm", "elm", AXES[3], "c2")]
    await fill(made, gallery, active=active(), by_probe={EVERYWHERE: 0.1})
    return made


@pytest.fixture
def placements() -> Given:
    return Given(artefact(statistics=STATISTICS))


@pytest.fixture
def matcher(index: Watched, metrics: Metrics, placements: Given) -> Matcher:
    return matcher_on(index, metrics, placements=placements)


def drifting(n: int, **changes: Any) -> list[Record]:
    """Return probes around a point that is not the mean of any cluster."""
    rng = np.random.default_rng(0)
    vectors = [unit(AXES[0] + AXES[1] + 0.1 * rng.normal(size=4)) for _ in range(n)]
    return [probe(f"x{i}", v, **{"background": DAY, **changes}) for i, v in enumerate(vectors)]


def expected(records: list[Record]) -> float:
    moments = Moments.empty(4)
    for record in records:
        moments.add(np.frombuffer(record.value or b"", "<f4"))
    return drift(STATISTICS, 0, moments)


def shown(metrics: Metrics, cluster: str = "c0") -> float | None:
    return sample(metrics, "perennial_drift", cluster=cluster)


async def test_the_drift_of_a_cluster_is_looked_at_now_and_then(
    matcher: Matcher, metrics: Metrics
) -> None:
    records = drifting(EVERY + 10)
    await matcher.handle(records[: EVERY - 1])
    assert shown(metrics) is None
    await matcher.handle(records[EVERY - 1 :])
    moved = expected(records[:EVERY])
    assert shown(metrics) == pytest.approx(moved)
    assert moved == pytest.approx(np.linalg.norm(unit([1, 1, 0, 0]) - AXES[0]) / 2, abs=0.05)
    assert shown(metrics, "c2") is None


async def test_drift_is_that_of_recent_embeddings(matcher: Matcher, metrics: Metrics) -> None:
    for _ in range(RECENT // EVERY):
        await matcher.handle([probe(vector=AXES[0], background=DAY)] * EVERY)
    assert shown(metrics) == 0
    later = drifting(EVERY)
    await matcher.handle(later)
    assert shown(metrics) == pytest.approx(expected(later))


@pytest.mark.parametrize("changes", [{"background": {}}, {"model": "other@1"}])
async def test_embeddings_of_no_cluster_of_the_fit_do_not_count(
    matcher: Matcher, metrics: Metrics, changes: dict[str, object]
) -> None:
    await matcher.handle(drifting(EVERY, **changes))
    assert shown(metrics) is None
    assert sample(metrics, "perennial_drift", cluster="unclustered") is None


async def test_a_conditioning_that_standardises_nothing_has_no_drift(
    matcher: Matcher, metrics: Metrics, placements: Given
) -> None:
    placements.given = artefact()
    await matcher.handle(drifting(EVERY))
    assert shown(metrics) is None


async def test_what_could_not_be_looked_up_is_counted_once(
    matcher: Matcher, metrics: Metrics, index: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage repeats a batch for as long as Redis is away."""
    records = drifting(EVERY)
    state, whole = await index.state(), dict(index._shards)
    for _ in range(3):
        index._shards.clear()
        with pytest.raises(Exception, match="is missing"):
            await matcher.handle(records)
    index._shards.update(whole)
    await matcher.handle(records[:-1])
    assert shown(metrics) is None
    assert state == await index.state()


async def test_another_conditioning_begins_anew(
    matcher: Matcher, metrics: Metrics, placements: Given, index: Watched
) -> None:
    def versions() -> list[float | None]:
        labels = ({"part": "conditioning", "version": v} for v in ("v1", "v2"))
        return [sample(metrics, "perennial_version", **some) for some in labels]

    assert versions() == [None, None]
    await matcher.handle(drifting(EVERY + 10))
    assert versions() == [1, None]
    assert shown(metrics) is not None

    placements.given = artefact("v2", statistics=STATISTICS)
    moved = [placed("oak", "oak", AXES[3], version="v2")]
    await fill(index, moved, active=active("v2"), by_probe={EVERYWHERE: 0.1})
    await matcher.handle(drifting(EVERY - 1))
    assert (versions(), shown(metrics)) == ([None, 1], None)
    placements.given = artefact("v2", statistics=STATISTICS)  # the same, read again
    await matcher.handle(drifting(1))
    assert shown(metrics) is not None

    placements.given = None
    await fill(index, [entry("oak", "oak", AXES[3])])
    await matcher.handle(drifting(1))
    assert (versions(), shown(metrics)) == ([None, None], None)


async def test_how_many_shards_were_searched_is_told(
    matcher: Matcher, metrics: Metrics, placements: Given
) -> None:
    placements.given = artefact()
    probes = [
        probe(vector=AXES[3], background=DAY),
        probe(vector=AXES[3], background=NIGHT),
        probe(vector=AXES[2], background=NIGHT),
        probe(vector=AXES[3], background={}),
    ]
    await matcher.handle(probes)
    assert sample(metrics, "perennial_shards_searched_count") == 4
    assert sample(metrics, "perennial_shards_searched_sum") == 1 + 1 + 2 + 2
