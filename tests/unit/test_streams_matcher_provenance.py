"""What the matcher says beside the name: provenance, timings and metrics."""

import time

import numpy as np
import pytest

from recognition.cluster import UNCLUSTERED
from schemas.event import Region
from schemas.metrics import Metrics
from schemas.recognition_event import (
    DecidedBy,
    Identification,
    ShardSearched,
)
from streams.matching.matcher import Matcher
from tests.gallery_entries import CAPTURED, MODEL
from tests.unit.matcher_probes import (
    AXES,
    SEASONS,
    THRESHOLDS,
    WINTER,
    Watched,
    fill,
    matched,
    matcher_on,
    one,
    probe,
)


@pytest.fixture
def index() -> Watched:
    return Watched()


@pytest.fixture
def matcher(index: Watched, metrics: Metrics) -> Matcher:
    return matcher_on(index, metrics, "season")


async def test_the_answer_says_all_that_a_sceptic_would_ask(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    region = Region(x=1, y=2, width=3, height=4)
    record = probe("x#0", source="cam-7", background={"season": "winter", "t": -3.5}, region=region)
    event = await one(matcher, record)
    assert isinstance(event, Identification)
    near = 1 - 1 / np.sqrt(1 + 0.3**2)
    assert (event.event_id, event.source, event.captured_at) == ("x#0", "cam-7", CAPTURED)
    assert (event.background, event.region) == ({"season": "winter", "t": -3.5}, region)
    assert event.identity == "oak"
    assert event.distance == pytest.approx(near, abs=1e-6)
    assert event.threshold == 0.1
    assert event.margin == pytest.approx(1 - near, abs=1e-6)
    first, second = event.candidates
    assert (first.identity, first.entry_id, first.distance) == ("oak", "oak-w", event.distance)
    assert first.votes == pytest.approx((0.1 - near) / 0.1, abs=1e-4)
    assert (second.identity, second.votes) == ("elm", 0)
    assert event.shards == (ShardSearched(cluster=WINTER, entries=2),)
    assert (event.model, event.conditioning, event.gallery_position) == (MODEL, None, 41)
    assert (event.decided_by, event.revision, event.probability) == (DecidedBy.MATCHER, 1, None)


async def test_records_go_to_their_topics_by_event_id(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    known, unknown = await matcher.handle([probe("a"), probe("b", AXES[2])])
    assert (known.topic, known.key) == ("identifications", b"a")
    assert (unknown.topic, unknown.key) == ("human-review", b"b")


async def test_timings_add_the_hop_the_match_and_the_total(
    matcher: Matcher, index: Watched
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    before = time.time() * 1000
    instants = {"published_at": before - 1000, "sent_at": before - 200}
    event = await one(matcher, probe(timings_ms={"decode": 2.5, "embed": 4.0, **instants}))
    spent = time.time() * 1000 - before
    timings = event.timings_ms
    assert set(timings) == {"decode", "embed", "hop", "match", "total"}
    assert (timings["decode"], timings["embed"]) == (2.5, 4.0)
    assert 200 <= timings["hop"] <= 200 + spent
    assert 0 <= timings["match"] <= spent
    assert 1000 <= timings["total"] <= 1000 + spent + 0.01


async def test_clocks_that_disagree_give_no_negative_hop(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    later = time.time() * 1000 + 60_000
    event = await one(matcher, probe(timings_ms={"sent_at": later, "published_at": later}))
    assert event.timings_ms["hop"] == 0


async def test_without_instants_only_the_match_is_counted(matcher: Matcher, index: Watched) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    timings = (await one(matcher, probe())).timings_ms
    assert timings["hop"] == 0
    assert timings["total"] == pytest.approx(timings["match"], abs=0.002)


async def test_outcomes_are_counted_by_cluster_and_reason(
    matcher: Matcher, index: Watched, metrics: Metrics
) -> None:
    await fill(index, SEASONS, THRESHOLDS)
    await matched(matcher, probe(), probe(), probe(vector=AXES[2]), probe(background={}))

    def outcomes(outcome: str, cluster: str, why: str) -> float | None:
        labels = {"outcome": outcome, "cluster": cluster, "reason": why}
        return metrics.registry.get_sample_value("perennial_outcomes_total", labels)

    assert outcomes("identified", WINTER, "within_threshold") == 2
    assert outcomes("review", WINTER, "beyond_threshold") == 1
    assert outcomes("identified", UNCLUSTERED, "within_threshold") == 1
    distances = metrics.registry.get_sample_value(
        "perennial_distance_count", {"outcome": "identified"}
    )
    assert distances == 3
    assert metrics.registry.get_sample_value("perennial_margin_count") == 4
    for stage in ("hop", "match", "total"):
        labels = {"stage": stage}
        assert metrics.registry.get_sample_value("perennial_stage_seconds_count", labels) == 4
