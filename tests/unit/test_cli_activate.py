"""``perennial activate``: what it asks, shows and refuses; topics and index are played."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client import activation
from client import recent as topics
from client.activation import Present, Rollout
from client.recent import Material
from infra.cli import app
from schemas.errors import DependencyDown
from schemas.settings import Settings
from streams.conditioning.artefact import PAGE
from tests.conditionings import saved
from tests.environment import default_settings
from tests.unit.replayed import active, material


class Deployment:
    """What the command finds, and what it was asked to carry out."""

    def __init__(self) -> None:
        self.present = Present(None, None)
        self.material = material()
        self.last: int | None = None
        self.asked: list[tuple[Rollout, str, float]] = []
        self.down: DependencyDown | None = None

    async def look(self, _: Settings) -> Present:
        return self.present

    async def read(self, _: Settings, last: int) -> Material:
        self.last = last
        return self.material

    async def carry_out(self, _: Settings, wanted: Rollout, actor: str, timeout_s: float) -> None:
        self.asked.append((wanted, actor, timeout_s))
        if self.down is not None:
            raise self.down


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    default_settings(monkeypatch)
    made = Deployment()
    monkeypatch.setattr(activation, "present", made.look)
    monkeypatch.setattr(activation, "carry_out", made.carry_out)
    monkeypatch.setattr(topics, "read_material", made.read)
    return made


def run(*arguments: object, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["activate", *map(str, arguments)], input=answer)


@pytest.mark.parametrize("arguments", [[], ["DIR", "--back"], ["--back", "--plain"]])
def test_one_target_is_given(arguments: list[str], deployed: Deployment) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    words = " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())
    assert "give one of a folder, --back and --plain" in words


def test_it_reports_asks_and_carries_out(deployed: Deployment, tmp_path: Path) -> None:
    state = active(tmp_path)
    refused = run(tmp_path, answer="n\n")
    assert refused.exit_code == 1
    assert deployed.asked == []
    done = run(tmp_path, "--last", "50", "--timeout", "9", "--actor", "ann", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "20 probes, plain → light" in done.stdout
    assert f"Change from plain to light {state.version}?" in done.stdout
    assert done.stdout.endswith(f"active: light {state.version}, before: plain\n")
    assert deployed.asked == [(Rollout("light", state, None), "ann", 9.0)]
    assert deployed.last == 50


def test_json_is_all_on_stdout_and_the_question_is_not(
    deployed: Deployment, tmp_path: Path
) -> None:
    state = active(tmp_path)
    result = run(tmp_path, "--json", answer="y\n")
    assert "Change from plain" in result.stderr
    assert "Change from plain" not in result.stdout
    said = json.loads(result.stdout.splitlines()[-1])  # after what was typed
    assert (said["before"], said["changed"]) == (None, True)
    assert said["after"] == state.model_dump()
    assert sum(said["agreement"]["counts"].values()) == said["agreement"]["probes"] == 20


def test_a_dry_run_changes_nothing(deployed: Deployment, tmp_path: Path) -> None:
    state = active(tmp_path)
    said = json.loads(run(tmp_path, "--dry-run", "--json").stdout)
    assert (said["changed"], said["agreement"]["probes"]) == (False, 20)
    deployed.present = Present(state, None)
    off = run("--plain", "--dry-run")
    assert off.exit_code == 0
    assert f"20 probes, light {state.version} → plain" in off.stdout
    assert deployed.asked == []


def test_back_and_plain_neither_compare_nor_ask(deployed: Deployment, tmp_path: Path) -> None:
    state = active(tmp_path)
    record = Rollout("light", state, None).record("ann")
    deployed.present = Present(state, record)
    for option in ("--back", "--plain"):
        result = run(option)
        assert result.stdout == f"active: plain, before: light {state.version}\n"
    wanted = [asked[0] for asked in deployed.asked]
    assert wanted == [Rollout("light", None, state)] * 2
    assert deployed.last is None


def test_what_is_active_already_is_left(deployed: Deployment, tmp_path: Path) -> None:
    state = active(tmp_path)
    deployed.present = Present(state, Rollout("light", state, None).record("ann"))
    result = run(tmp_path)
    assert result.stdout == f"light {state.version} is active already\n"
    assert json.loads(run(tmp_path, "--json").stdout)["changed"] is False
    assert deployed.asked == []


def test_a_lost_artefact_does_not_keep_one_from_the_next(
    deployed: Deployment, tmp_path: Path
) -> None:
    lost = active(tmp_path / "lost", fpir=0.2)
    (tmp_path / "lost" / PAGE).unlink()
    deployed.present = Present(lost, None)
    state = active(tmp_path / "next")
    result = run(tmp_path / "next", "--yes")
    assert result.exit_code == 0, result.output
    assert "no comparison with what is active" in result.stderr
    assert deployed.asked[0][0] == Rollout("light", state, lost)


def test_wrong_artefacts_and_late_indexes_have_their_exit_codes(
    deployed: Deployment, tmp_path: Path
) -> None:
    missing = run(tmp_path / "nowhere", "--yes")
    assert missing.exit_code == 2
    assert "No such file" in missing.stderr
    saved(tmp_path / "other", model="other@1")
    other = run(tmp_path / "other", "--yes")
    assert other.exit_code == 2
    assert "is for model other@1" in other.stderr
    assert deployed.asked == []
    active(tmp_path / "late")
    deployed.down = DependencyDown("conditioning", "not active after 1 s")
    late = run(tmp_path / "late", "--yes")
    assert late.exit_code == 3
    assert "not active after 1 s" in late.stderr


def test_it_needs_a_broker_and_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)
    active(tmp_path)
    assert "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS is not set" in run(tmp_path).stderr
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    result = run("--plain")
    assert result.exit_code == 2
    assert "PERENNIAL_REDIS_URL is not set" in result.stderr
    monkeypatch.setenv("PERENNIAL_REDIS_URL", "redis://127.0.0.1:1/0")
    away = run("--plain")
    assert away.exit_code == 3
    assert "redis" in away.stderr
