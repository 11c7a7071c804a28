"""``perennial whatif``: its options; the topics are played."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client import activation
from client import recent as topics
from client.activation import Present
from client.recent import Material
from infra.cli import app
from schemas.settings import Settings
from tests.conditionings import saved
from tests.environment import default_settings
from tests.unit.replayed import active, material


class Deployment:
    """What the command finds."""

    def __init__(self) -> None:
        self.present = Present(None, None)
        self.material = material()
        self.last: int | None = None

    async def look(self, _: Settings) -> Present:
        return self.present

    async def read(self, _: Settings, last: int) -> Material:
        self.last = last
        return self.material


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    default_settings(monkeypatch)
    made = Deployment()
    monkeypatch.setattr(activation, "present", made.look)
    monkeypatch.setattr(topics, "read_material", made.read)
    return made


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["whatif", *map(str, arguments)])


def test_it_shows_the_curve_and_writes_it(deployed: Deployment, tmp_path: Path) -> None:
    result = run("--out", tmp_path / "out", "--last", "50")
    assert result.exit_code == 0, result.output
    assert "20 probes against 40 entries of 20 identities" in result.stdout
    assert "→" in result.stdout
    assert "whatif.png and whatif.json" in " ".join(result.stderr.split())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"whatif.png", "whatif.json"}
    assert deployed.last == 50


def test_fpirs_and_the_share_of_strangers_can_be_given() -> None:
    said = json.loads(run("--fpir", "0.2", "--fpir", "0.1", "--strangers", "0", "--json").stdout)
    assert [point["fpir"] for point in said["points"]] == [0.01, 0.1, 0.2]  # 0.01 is asked for
    assert [point["asked"] for point in said["points"]] == [True, False, False]
    assert said["strangers"]["share"] == 0
    assert {point["false_matches"][0] for point in said["points"]} == {0}


def test_it_answers_by_what_is_active_or_by_what_might_be(
    deployed: Deployment, tmp_path: Path
) -> None:
    deployed.present = Present(active(tmp_path / "a"), None)
    other = active(tmp_path / "b", fpir=0.2)
    said = json.loads(run("--json").stdout)
    assert said["conditioning"]["uri"] == (tmp_path / "a").as_uri()
    said = json.loads(run("--json", "--conditioning", tmp_path / "b").stdout)
    assert said["conditioning"]["version"] == other.version
    assert [point["fpir"] for point in said["points"] if point["asked"]] == [0.2]
    saved(tmp_path / "c", model="other@1")
    wrong = run("--conditioning", tmp_path / "c")
    assert wrong.exit_code == 2
    assert "is for model other@1" in wrong.stderr


@pytest.mark.parametrize("arguments", [["--fpir", "1"], ["--fpir", "x"], ["--strangers", "2"]])
def test_wrong_shares_are_refused(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert arguments[0] in re.sub(r"\s+", " ", result.stderr)
