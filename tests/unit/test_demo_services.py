from pathlib import Path

import pytest

from client.service_pages import parse, readings, waiting_for
from infra.local.board import Counts, counts
from infra.local.processes import free_port
from infra.local.stack import service
from infra.local.supervisor import Service
from schemas.settings import environment, load_settings
from tests.environment import no_settings


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        kafka_bootstrap_servers="h:1",
        topic_prefix="t.",
        model=Path("/m"),
        device="cpu",
        shard_by=("season", "light"),
        target_fpir=0.02,
        worker_port=0,
        retention_max_age_days=None,
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_only_what_was_set_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    no_settings(monkeypatch)
    assert environment(load_settings(threads=2)) == {"PERENNIAL_THREADS": "2"}


def test_a_service_that_does_not_answer() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert waiting_for(url) == "no answer yet"
    assert readings(url).total("perennial_frames_total") == 0


METRICS = """\
# TYPE perennial_frames counter
perennial_frames_total 12.0
# TYPE perennial_outcomes counter
perennial_outcomes_total{cluster="a",outcome="identified",reason=""} 5.0
perennial_outcomes_total{cluster="b",outcome="identified",reason=""} 2.0
perennial_outcomes_total{cluster="a",outcome="review",reason="gallery_empty"} 3.0
perennial_outcomes_total{cluster="",outcome="dead",reason="bad_json"} 1.0
# TYPE perennial_gallery_entries gauge
perennial_gallery_entries{cluster="a",status="active"} 4.0
perennial_gallery_entries{cluster="a",status="quarantined"} 1.0
# TYPE perennial_consumer_lag gauge
perennial_consumer_lag{partition="0",topic="frames"} 6.0
"""


def test_readings() -> None:
    found = parse(METRICS)
    assert found.total("perennial_outcomes_total") == 11
    assert found.total("perennial_outcomes_total", outcome="identified", cluster="b") == 2


def test_the_board_adds_up_all_services() -> None:
    one = parse(METRICS)
    assert counts([one, one, parse("")]) == Counts(24, 14, 6, 2, 8, 2, 12)


def test_a_service_that_keeps_dying_is_started_less_and_less_often(tmp_path: Path) -> None:
    service = Service("worker", ["worker"], {}, tmp_path, "http://127.0.0.1:1")
    service.start()
    pauses = [service.pause_before_revival() for _ in range(9)]
    service.stop()
    assert pauses[:3] == [0.5, 1.0, 2.0]
    assert pauses[-1] == 30.0


def test_two_runs_that_start_at_one_instant_take_different_ports(tmp_path: Path) -> None:
    wanted = free_port()
    first, second = (service("worker", load_settings(), wanted, tmp_path) for _ in range(2))
    assert first.url.endswith(f":{wanted}")
    assert second.url != first.url
    for each in (first, second):
        each.stop()
    third = service("worker", load_settings(), wanted, tmp_path)
    assert third.url == first.url
    third.stop()
