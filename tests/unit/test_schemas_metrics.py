"""Metrics and readiness."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from schemas.health import Health
from schemas.metrics import Metrics

WANTED = {
    "perennial_frames", "perennial_batch_size", "perennial_stage_seconds", "perennial_queue_depth",
    "perennial_consumer_lag", "perennial_outcomes", "perennial_distance", "perennial_margin",
    "perennial_shard_timeouts", "perennial_gallery_entries", "perennial_threshold",
    "perennial_retention_removals", "perennial_version", "perennial_dependency_up",
    "perennial_retries", "perennial_shards_searched", "perennial_inclusions", "perennial_drift",
    "perennial_fpir_asked", "perennial_fpir_believed", "perennial_quality",
}  # fmt: skip


def test_the_registry_that_was_given_holds_every_metric() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    assert metrics.registry is registry
    families = {family.name for family in registry.collect()}
    assert families >= WANTED
    assert all(name.startswith("perennial_") for name in families)
    assert all(family.documentation for family in registry.collect())


def test_two_services_in_one_process_do_not_meet() -> None:
    one, other = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    one.frames.inc(3)
    assert one.registry.get_sample_value("perennial_frames_total") == 3
    assert other.registry.get_sample_value("perennial_frames_total") == 0


def test_labels_tell_stage_outcome_and_reason(metrics: Metrics) -> None:
    metrics.outcomes.labels("review", "season=winter", "gallery_empty").inc()
    metrics.stage_seconds.labels("matcher").observe(0.002)
    text = generate_latest(metrics.registry).decode()
    outcome = 'outcome="review",reason="gallery_empty"'
    assert f'perennial_outcomes_total{{cluster="season=winter",{outcome}}} 1.0' in text
    assert 'perennial_stage_seconds_bucket{le="0.0025",stage="matcher"} 1.0' in text


def test_ready_only_when_all_parts_are_up(metrics: Metrics) -> None:
    health = Health(metrics)
    for part in ("kafka", "redis"):
        health.down(part, "not started yet")
    assert health.report() == {"kafka": "not started yet", "redis": "not started yet"}
    seen = [health.ready]
    health.up("kafka")
    seen.append(health.ready)
    health.up("redis")
    seen.append(health.ready)
    health.down("redis", "refused the connection")
    seen.append(health.ready)
    assert seen == [False, False, True, False]
    assert health.report() == {"kafka": "ok", "redis": "refused the connection"}


def test_a_service_without_parts_is_not_ready(health: Health) -> None:
    assert not health.ready
    assert health.report() == {}


def test_a_part_may_turn_up_later(health: Health) -> None:
    health.up("gallery")
    assert health.ready


def test_a_part_that_is_down_never_reports_ok(health: Health) -> None:
    """``str(error)`` can be empty."""
    health.down("redis", "")
    assert not health.ready
    assert health.report()["redis"] != "ok"


@pytest.mark.parametrize(("up", "value"), [(True, 1), (False, 0)])
def test_the_gauge_follows(metrics: Metrics, up: bool, value: float) -> None:
    health = Health(metrics)
    health.down("kafka", "not started yet")
    if up:
        health.up("kafka")
    sample = metrics.registry.get_sample_value("perennial_dependency_up", {"dependency": "kafka"})
    assert sample == value
