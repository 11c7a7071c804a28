import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from client import broker
from infra.cli import PANELS, app
from infra.commands import topics
from schemas.errors import BadInput, DependencyDown, PerennialError, SetupError
from tests.environment import default_settings

LEAVES = (
    *("demo", "up", "doctor", "publish", "enrol", "watch", "worker", "streams", "schema"),
    *("train", "evaluate", "saliency", "fit", "simulate", "whatif", "activate"),
    *(f"model {name}" for name in ("export", "show", "list")),
    *(f"topics {name}" for name in ("create", "describe")),
    *(f"review {name}" for name in ("list", "show", "answer", "auto")),
    *(f"gallery {n}" for n in ("stats", "list", "quarantine", "restore", "rename", "erase")),
)
ORDER = tuple(name for names in PANELS.values() for name in names)
NOBODY = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def photographs(folder: Path) -> str:
    (folder / "a.jpg").write_bytes(b"x")
    return str(folder)


def manifest(folder: Path) -> str:
    photographs(folder)
    path = folder / "manifest.csv"
    path.write_text("path,label\na.jpg,Bella\n")
    return str(path)


def test_help_lists_the_commands_as_a_newcomer_meets_them() -> None:
    lines = run("--help").stdout.splitlines()
    listed = [m[1] for line in lines if (m := re.match(r"^│ ([a-z]+) {2,}\S", line))]
    assert tuple(listed) == ORDER
    panels = [m[1] for line in lines if (m := re.match(r"^╭─ ([A-Za-z ]+) ─", line))]
    assert panels[1:] == [
        *("Start here", "Frames in", "Answers out", "Models", "Run the parts", "Documents")
    ]


def test_without_arguments_it_helps() -> None:
    assert "Start here" in run().output


@pytest.mark.parametrize("command", LEAVES)
def test_every_command_teaches_by_example(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert re.search(rf"Example:\s+(PERENNIAL_\w+=\w+ )?perennial {command}", result.stdout)


def test_help_does_not_wait_for_heavy_libraries() -> None:
    code = "import sys, infra.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"torch", "faust", "aiokafka", "aiohttp", "confluent_kafka", "redis", "cv2", "sklearn"}
    assert heavy.isdisjoint(loaded)


def test_it_tells_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.console.version", lambda package: f"1.2.3 of {package}")
    assert run("--version").stdout == "perennial 1.2.3 of perennial\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SetupError("change [this]"), 2),
        (DependencyDown("kafka", "gone"), 3),
        (BadInput("slug", "broken"), 1),
        (PerennialError("something"), 1),
    ],
)
def test_an_error_of_ours_is_one_message_and_an_exit_code(
    error: PerennialError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(topics, "load_settings", fail)
    result = run("topics", "create")
    assert result.exit_code == code
    assert result.stderr == f"{error}\n"
    assert result.stdout == ""


@pytest.mark.parametrize(
    "command",
    [
        ["worker"],
        ["streams"],
        ["topics", "create"],
        ["watch"],
        ["review", "list"],
        ["review", "show", "f1"],
        ["review", "answer", "f1", "Bella"],
        ["gallery", "stats"],
        ["gallery", "erase", "Bella", "--reason", "asked", "--yes"],
    ],
)
def test_without_a_broker_the_remedy_is_named(command: list[str]) -> None:
    result = run(*command)
    assert result.exit_code == 2
    assert "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS is not set" in result.stderr
    assert "perennial up" in result.stderr


def test_streams_need_redis_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    result = run("streams", "--only", "matcher")
    assert result.exit_code == 2
    assert "PERENNIAL_REDIS_URL is not set" in result.stderr


def test_publish_and_enrol_need_a_broker(tmp_path: Path) -> None:
    for command in (["publish", photographs(tmp_path)], ["enrol", manifest(tmp_path)]):
        result = run(*command)
        assert result.exit_code == 2
        assert "PERENNIAL_KAFKA_BOOTSTRAP_SERVERS" in result.stderr


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_TARGET_FPIR", "7")
    result = run("topics", "create")
    assert result.exit_code == 2
    assert "PERENNIAL_TARGET_FPIR='7'" in result.stderr


def test_a_broker_that_is_away_is_a_dependency_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "TIMEOUT_S", 0.2)
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    result = run("topics", "describe")
    assert result.exit_code == 3
    assert f"no answer from {NOBODY}" in result.stderr


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["streams", "--only", "matcher,cook"], "gallery, matcher, review"),
        (["streams", "--only", ","], "gallery, matcher, review"),
        (["watch", "frame"], "choose one of frames, embeddings"),
        (["review", "answer", "f1"], "give an identity, or --unknown"),
        (["review", "answer", "f1", "Bella", "--unknown"], "give an identity, or --unknown"),
        (["gallery", "erase", "Bella", "--yes"], "--reason"),
        (["gallery", "restore", "Bella", "--reason", ""], "reason"),
        (["gallery", "rename", "Bela", "x" * 201, "--reason", "typo"], "to: "),
        (["publish", "/nowhere"], "does not exist"),
    ],
)
def test_wrong_usage_says_what_would_be_right(command: list[str], complaint: str) -> None:
    result = run(*command)
    assert result.exit_code == 2
    assert complaint in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())


def test_a_variable_is_name_and_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KAFKA_BOOTSTRAP_SERVERS", NOBODY)
    result = run("publish", photographs(tmp_path), "--var", "winter")
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr


def test_erasing_asks_first() -> None:
    result = CliRunner().invoke(app, ["gallery", "erase", "Bella", "--reason", "x"], input="n\n")
    assert result.exit_code == 1
    assert "Erase every entry of Bella for ever?" in result.stdout
    assert "PERENNIAL_KAFKA" not in result.stderr


def test_schema_writes_and_checks(tmp_path: Path) -> None:
    docs = str(tmp_path)
    assert run("schema", "--docs", docs, "--check").exit_code == 1
    assert run("schema", "--docs", docs).exit_code == 0
    assert run("schema", "--docs", docs, "--check").exit_code == 0
    (tmp_path / "configuration.md").write_text("old")
    result = run("schema", "--docs", docs, "--check")
    assert result.exit_code == 1
    assert f"stale: {tmp_path}/configuration.md" in result.stderr


def test_doctor_names_a_wrong_setting_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_BATCH_SIZE", "many")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)
    assert finding["level"] == "fail"
    assert "PERENNIAL_BATCH_SIZE='many'" in finding["detail"]


def test_all_commands_are_ordered() -> None:
    assert set(typer.main.get_command(app).commands) == set(ORDER)  # type: ignore[attr-defined]
