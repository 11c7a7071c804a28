"""The settings of a run, and its folder."""

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import SetupError
from tests.unit.training_samples import ARCHITECTURE, config
from workers.training.augment import Augmentation
from workers.training.config import TrainingConfig
from workers.training.linear_map import LinearMetric
from workers.training.run_folder import TrainingFolder


def test_settings_survive_json() -> None:
    made = config(
        predict=["season*0.5"],
        erase=["hour:cyclic(24)"],
        group_by=["season"],
        linear_map=LinearMetric.NCA,
        augmentation=Augmentation(flip=True, strength=0.5),
    )
    assert TrainingConfig.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identities": 1}, "identities"),
        ({"average": 1}, "average"),
        ({"steps": -1}, "steps"),
        ({"linear_map": "pca"}, "'nca', 'lmnn' or 'mahalanobis'"),
        ({"name": "../x"}, "name"),
        ({"backbone_rate": float("nan")}, "backbone_rate"),
        ({"rate": 1}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**changes)


def test_quarter_turns_need_a_square() -> None:
    oblong = ARCHITECTURE.model_copy(update={"input_size": (16, 32)})
    assert config(oblong).quarter_turns is False
    assert config(quarter_turns=True).quarter_turns
    with pytest.raises(ValidationError, match="square"):
        config(oblong, quarter_turns=True)


def test_a_folder_is_of_one_run(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path / "a" / "run")
    assert folder.open(config()) is False
    folder.begin(config())
    assert folder.open(config()) is False
    folder.checkpoint.write_bytes(b"x")
    assert folder.open(config()) is True
    assert folder.read() == config()
    with pytest.raises(SetupError, match="other settings") as told:
        folder.open(config(seed=1))
    assert str(folder.root) in str(told.value)
    assert folder.read() == config()


def test_what_lies_where(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    paths = [folder.config, folder.checkpoint, folder.metrics, folder.curves, folder.board]
    assert [path.relative_to(tmp_path).as_posix() for path in [*paths, folder.model]] == [
        "config.json",
        "checkpoint.pt",
        "metrics.jsonl",
        "curves.png",
        "tensorboard",
        "model",
    ]


def test_figures_are_lines_of_json_in_place_of_what_a_killed_run_left(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    folder.metrics.write_text('{"step": 1}\n{"step": 2}\n{"st')
    folder.begin_metrics([{"step": 1, "loss": 0.5}])
    folder.add_metrics({"step": 2, "loss": math.inf})
    assert folder.metrics.read_text() == '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": null}\n'


def test_a_kill_while_the_settings_are_written_leaves_them_whole_or_absent(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    folder.begin(config())
    before = folder.config.stat().st_ino
    folder.begin(config())
    assert folder.config.stat().st_ino == before, "not written again"
    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    with pytest.raises(SetupError, match=r"config\.json"):
        folder.read()
    folder.config.write_text('{"steps": 1')
    with pytest.raises(SetupError, match="training run"):
        folder.open(config())
