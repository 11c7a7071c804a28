"""The demo on services that others use too: it keeps its promises and cleans up after itself."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from access.redis import redis_client
from client.broker import Broker
from infra.cli import app
from infra.demo.run import rendered
from schemas.settings import Settings, environment
from tests.secured.session import as_user


@pytest.fixture
def named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that the command line reads, too."""
    for name, value in environment(as_user(settings, "demo")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PERENNIAL_MODEL")  # the demo is about the one that comes with it
    return settings


def left_behind(settings: Settings) -> tuple[set[str], list[bytes]]:
    """The topics and the keys of this test's deployment."""
    topics = {t for t in Broker(settings).partitions() if "demo-" in t}
    with redis_client(settings) as client:
        return topics, list(client.scan_iter(match=f"{settings.topic_prefix}*"))


def test_the_demo_follows_every_frame_to_its_end(named: Settings, tmp_path: Path) -> None:
    summary, picture = tmp_path / "summary.json", tmp_path / "picture.png"
    arguments = ["demo", "--frames", "240", "--json", str(summary), "--picture", str(picture)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(summary.read_text())
    assert (found["published"], found["lost"], found["dead"]) == (240, 0, 0)
    assert found["identified"] + found["reviewed"] == 240
    assert found["right"] + found["wrong"] == found["identified"]
    assert 0 < found["gallery_entries"] <= found["reviewed"]
    assert found["accuracy"] >= 0.95
    assert found["review_share_last_quarter"] < found["review_share_first_quarter"]
    assert {"end_to_end", "match"} <= found["latency_ms"].keys()
    assert [f"{tenth}0 %" in result.output for tenth in range(1, 11)] == [True] * 10
    with Image.open(picture) as sheet:
        assert sheet.width > 1000
    assert left_behind(named) == (set(), [])


def test_real_images_in_time_order(named: Settings, tmp_path: Path) -> None:
    lines = ["path,label,captured_at,season"]
    for seen in reversed(list(rendered(12, 3, seed=1))):
        (tmp_path / f"{seen.id}.jpg").write_bytes(seen.load())
        lines.append(f"{seen.id}.jpg,{seen.label},{seen.captured_at},{seen.background['season']}")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    lines.append("broken.jpg,oak,,winter")
    manifest, summary = tmp_path / "manifest.csv", tmp_path / "summary.json"
    manifest.write_text("\n".join(lines) + "\n")
    arguments = ["--images", str(manifest), "--picture", str(tmp_path / "picture.png")]
    result = CliRunner().invoke(app, ["demo", *arguments, "--json", str(summary)])
    assert result.exit_code == 0, result.output
    found = json.loads(summary.read_text())
    assert (found["published"], found["lost"], found["dead"]) == (13, 0, 1)
    assert found["review_share"][0] == 1.0
