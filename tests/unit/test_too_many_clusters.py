"""Values that anybody may make up: they make so many clusters, and name so many in metrics."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from recognition.cluster import UNCLUSTERED
from schemas.errors import BadInput
from schemas.gallery import Erased
from schemas.metrics import OTHER, Metrics
from streams.gallery.commands import Planner
from streams.gallery.holdings import Holdings
from tests.gallery_entries import enrol, entry, plain_holdings
from tests.unit.matcher_probes import Watched, fill, matcher_on, one, probe

PLANNER = Planner(("season",), 2)


def seasonal(season: str) -> dict[str, Any]:
    return {"background": {"season": season}}


@pytest.fixture
def holdings() -> Holdings:
    """An oak in summer and another in winter."""
    held = plain_holdings(0.3, "season")
    held.apply(entry("oak-1", "oak", [1, 0], cluster="season=summer", **seasonal("summer")), 0)
    held.apply(entry("oak-2", "oak", [1, 0], cluster="season=winter", **seasonal("winter")), 1)
    return held


def test_an_enrolment_may_not_make_one_cluster_too_many(holdings: Holdings) -> None:
    with pytest.raises(BadInput, match=r"'season=spring' would be one more than 2") as caught:
        PLANNER.plan(enrol("new", "oak", [1, 0], **seasonal("spring")), holdings)
    assert caught.value.reason == "too_many_clusters"
    assert len(PLANNER.plan(enrol("new", "oak", [1, 0], **seasonal("winter")), holdings)) == 1


def test_what_left_a_cluster_no_longer_counts(holdings: Holdings) -> None:
    assert set(holdings.clusters) == {"season=summer", "season=winter"}
    holdings.apply(entry("oak-3", "oak", [1, 0], cluster="season=winter", **seasonal("winter")), 2)
    holdings.apply(Erased("oak-3"), 3)
    assert set(holdings.clusters) == {"season=summer", "season=winter"}
    holdings.apply(Erased("oak-2"), 4)
    assert set(holdings.clusters) == {"season=summer"}
    (made,) = PLANNER.plan(enrol("new", "oak", [1, 0], **seasonal("spring")), holdings)
    assert made.entry_id == "new"


async def test_twenty_thousand_values_are_a_few_hundred_series() -> None:
    metrics = Metrics(CollectorRegistry())
    index = Watched()
    await fill(index, [], {})
    matcher = matcher_on(index, metrics, "season")
    for number in range(600):
        await one(matcher, probe(f"p-{number}", background={"season": f"s{number}"}))
    await one(matcher, probe("none", background={}))
    labels = [
        sample.labels["cluster"]
        for family in metrics.outcomes.collect()
        for sample in family.samples
        if sample.name == "perennial_outcomes_total"
    ]
    assert len(labels) == 258
    assert {OTHER, UNCLUSTERED, "season=s0", "season=s255"} <= set(labels)
    assert "season=s256" not in labels
