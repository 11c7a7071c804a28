"""``perennial train`` and then ``perennial evaluate``, on images made here."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli import app
from infra.commands.train import _config
from lab.evaluate.report import Evaluation
from tests.image_set import write_image_set
from tests.unit.training_runs import read_history
from tests.unit.training_samples import config
from workers.model.model_folder import read_model
from workers.model.network import Head
from workers.training.config import TrainingConfig

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_set(tmp_path_factory.mktemp("herd"), 12, 4)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "config.json"
    path.write_text(config(steps=4).model_dump_json())
    return path


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)])


def said(result: Result) -> str:
    """What went to stderr, without the frame and the line breaks."""
    return " ".join(result.stderr.replace("│", " ").split())


def test_from_a_manifest_to_a_model_that_is_evaluated(
    manifest: Path, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "runs" / "herd"
    trained = run("train", manifest, "--out", out, "--config", settings, "--predict", "season")
    assert trained.exit_code == 0, trained.output
    assert trained.stdout == "", "answers only"
    model = out / "model"
    assert f"wrote {model}; calibrate TPIR at FPIR 5 %: " in trained.stderr
    hint = re.search(r"next: perennial (evaluate) (.*)", trained.stderr)
    assert hint is not None
    assert hint[2] == f"{manifest} --split 0 --model {model}"
    assert "season_loss" in read_history(out)[-1]

    evaluated = run(*hint.groups()[:1], *hint[2].split(), "--draws", 5, "--json")
    assert evaluated.exit_code == 0, evaluated.output
    (variant,) = Evaluation.model_validate_json(evaluated.stdout).variants
    assert variant.models[0].startswith("tiny@")
    rank1 = variant.scenarios["mixed"].measures["rank1"].mean
    assert rank1 is not None
    assert rank1 > 0.5, "coarse patterns are told apart even by this one; by chance 1 of 3"


def test_json_for_scripts(manifest: Path, settings: Path, tmp_path: Path) -> None:
    arguments = (manifest, "--out", tmp_path, "--config", settings, "--json")
    first = run("train", *arguments)
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["model"] == str(tmp_path / "model")
    assert 0 <= told["calibrate_tpir_at_fpir_0.05"] <= 1
    assert told["config"]["steps"] == 4
    assert told["data"]["train_identities"] == 5
    assert (told["data"]["manifest"], told["data"]["split"]) == (str(manifest), 0)
    again = run("train", *arguments)
    assert json.loads(again.stdout) == told, "a run that is over stays as it is"
    other = run("train", *arguments, "--seed", 1)
    assert other.exit_code == 2
    assert "holds a run with other settings" in said(other)


def test_options_win_over_the_file_and_the_file_over_the_defaults(
    manifest: Path, settings: Path, tmp_path: Path
) -> None:
    options = (
        *("--name", "herd.2", "--steps", 1, "--loss", "0.5*triplet+arcface", "--seed", 7),
        *("--size", "24X16", "--dimension", 4, "--light", "local", "--colour", "--split", 2),
        *("--predict", "season*0.5", "--blind", "hour:cyclic(24)", "--group-by", "season"),
        *("--linear-map", "mahalanobis"),
    )
    result = run("train", manifest, "--out", tmp_path, "--config", settings, *options)
    assert result.exit_code == 0, result.output
    made = TrainingConfig.model_validate_json((tmp_path / "config.json").read_bytes())
    base = config()
    architecture = base.architecture.model_copy(
        update={"input_size": (24, 16), "dimension": 4, "light": "local", "colour": True}
    )
    assert made == base.model_copy(
        update={
            "name": "herd.2",
            "architecture": architecture,
            "steps": 1,
            "loss": "0.5*triplet+arcface",
            "predict": ("season*0.5",),
            "erase": ("hour:cyclic(24)",),
            "group_by": ("season",),
            "linear_map": "mahalanobis",
            "seed": 7,
        }
    )
    assert "--split 2" in result.stderr
    card = read_model(tmp_path / "model")[0]
    assert card.name == "herd.2"
    assert card.architecture.input_size == (24, 16)


def test_without_a_file_there_are_the_defaults() -> None:
    assert _config(None, {}, {}) == TrainingConfig()
    changed = _config(None, {"reverse": ["season"]}, {"colour": True})
    assert (changed.reverse, changed.architecture.colour) == (("season",), True)
    assert changed.architecture.head is Head.LINEAR


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--loss", "arcfase"], "no loss 'arcfase' in 'arcfase'; known: arcface, "),
        (["--loss", "0*arcface"], "weight '0' in loss '0*arcface' is no positive number"),
        (["--size", "160"], "'160'; write 160x96: height, then width"),
        (["--size", "²x3"], "'²x3'; write 160x96"),
        (["--size", "4x4000"], "architecture.input_size.0=4: Input should be greater than"),
        (["--light", "dim"], "architecture.light='dim': Input should be 'keep', 'standardise' or"),
        (["--linear-map", "pca"], "linear_map='pca': Input should be 'nca', 'lmnn' or"),
        (["--predict", "weather"], "background weather: the train images have no value"),
        (["--reverse", "season:hue"], "no kind 'hue'; known: nominal, "),
        (["--blind", "season", "--predict", "season"], "season is named twice"),
        (["--group-by", "weather"], "background weather: the train images have no value"),
        (["--dimension", "65"], "dimension 65: 20 train images of 64 features allow at most 19"),
        (["--name", "a b"], "name='a b': String should match"),
        (["--split", "9"], "no split 9"),
        (["--splits", "none.csv"], "'none.csv' does not exist"),
        (["--config", "none.json"], "'none.json' does not exist"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], why: str, manifest: Path, settings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    result = run("train", manifest, "--out", out, "--config", settings, *arguments)
    assert result.exit_code == 2
    assert why in said(result)
    assert not out.exists(), "nothing was begun"


def test_a_file_of_settings_that_is_none(manifest: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    for text, why in (("{", "Invalid JSON"), ('{"rate": 1}', "rate=1: Extra inputs are not")):
        file.write_text(text)
        result = run("train", manifest, "--out", tmp_path / "run", "--config", file)
        assert result.exit_code == 2
        assert why in said(result)


def test_an_image_that_is_broken_is_named(settings: Path, tmp_path: Path) -> None:
    manifest = write_image_set(tmp_path / "set", 12, 4)
    for image in manifest.parent.glob("*-2.png"):
        image.write_bytes(image.read_bytes()[:40])
    result = run("train", manifest, "--out", tmp_path / "run", "--config", settings)
    assert result.exit_code == 2
    assert re.search(r"set/\d+-2\.png: ", said(result))


def test_too_few_identities_to_split(settings: Path, tmp_path: Path) -> None:
    manifest = write_image_set(tmp_path / "set", 3, 2)
    result = run("train", manifest, "--out", tmp_path / "run", "--config", settings)
    assert result.exit_code == 2
    assert "cannot make splits" in said(result)


def test_help_names_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    shown = run("train", "--help").stdout
    for option in (
        *("--out", "--splits", "--split", "--steps", "--loss", "--size", "--dimension", "--light"),
        *("--colour", "--grey", "--predict", "--blind", "--reverse", "--group-by"),
        *("--linear-map", "--config", "--name", "--seed", "--json"),
    ):
        assert re.search(rf"{option}\b", shown), option
    assert "perennial train herd.csv --out runs/herd --size 160x96" in shown
