"""``perennial train --backbone``: a run that starts from a model of somebody else."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from schemas.errors import SetupError
from tests.environment import default_settings
from tests.image_set import write_image_set
from tests.unit.others_models import means, script
from tests.unit.test_cli_train import run, said
from tests.unit.test_model_import import PLAIN, imports, loaded, photographs
from tests.unit.test_model_import_timm import weights_of
from tests.unit.training_samples import CPU, config, samples
from workers.model.model_folder import read_model
from workers.training.learner import Learner
from workers.training.start import architecture_on

Source = Callable[[Path], tuple[Path, tuple[str, ...]]]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_set(tmp_path_factory.mktemp("herd"), 12, 4)


def onnx_file(folder: Path) -> tuple[Path, tuple[str, ...]]:
    return means(folder / "means.onnx", ("n", 3, 16, 16)), PLAIN


def script_file(folder: Path) -> tuple[Path, tuple[str, ...]]:
    return script(folder / "small.pt"), (*PLAIN, "--size", "16x16")


def timm_name(folder: Path) -> tuple[Path, tuple[str, ...]]:
    weights = folder / "weights.safetensors"
    weights_of("test_resnet", weights)
    return Path("timm:test_resnet"), ("--weights", str(weights), "--size", "32x32")


@pytest.mark.parametrize("source", [onnx_file, script_file, timm_name])
def test_from_a_model_of_others_to_one_that_embeds(
    manifest: Path, tmp_path: Path, source: Source
) -> None:
    path, options = source(tmp_path)
    imports(path, tmp_path / "theirs", *options)
    settings = tmp_path / "config.json"
    settings.write_text(config(steps=4).model_dump_json())
    out = tmp_path / "run"
    result = run(
        *("train", manifest, "--out", out, "--config", settings, "--dimension", 3),
        *("--backbone", tmp_path / "theirs"),
    )
    assert result.exit_code == 0, said(result)
    model = loaded(out / "model")
    assert model.embed(photographs(model.input_size)).shape == (3, 3)
    theirs, ours = read_model(tmp_path / "theirs")[0], read_model(out / "model")[0]
    assert ours.architecture.backbones == theirs.architecture.backbones
    assert ours.architecture.mean == theirs.architecture.mean


@pytest.mark.parametrize(
    ("source", "learns"), [(onnx_file, False), (script_file, True), (timm_name, True)]
)
def test_what_a_step_changes(tmp_path: Path, source: Source, *, learns: bool) -> None:
    path, options = source(tmp_path)
    imports(path, tmp_path / "theirs", *options)
    architecture = architecture_on(tmp_path / "theirs").model_copy(update={"dimension": 3})
    learner = Learner(config(architecture, backbone=tmp_path / "theirs"), samples(), CPU)
    before = learner.weights()
    for number in range(2):
        learner.step(number)
    after = learner.weights()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "head.weight" in changed
    assert any(name.startswith("backbones.") for name in changed) is learns
    assert not any(name.endswith("_extra_state") for name in changed), "a program stays as it is"


def test_a_folder_that_holds_another_model_by_now(tmp_path: Path) -> None:
    path, options = script_file(tmp_path)
    imports(path, tmp_path / "theirs", *options)
    path, options = onnx_file(tmp_path)
    imports(path, tmp_path / "other", *options)
    architecture = architecture_on(tmp_path / "theirs")
    with pytest.raises(SetupError, match="has the backbones onnx:3; the run is set up for"):
        Learner(config(architecture, backbone=tmp_path / "other"), samples(), CPU)


def test_a_head_that_is_wider_than_the_features(manifest: Path, tmp_path: Path) -> None:
    path, options = onnx_file(tmp_path)
    imports(path, tmp_path / "theirs", *options)
    result = run(
        *("train", manifest, "--out", tmp_path / "run", "--dimension", 8),
        *("--backbone", tmp_path / "theirs"),
    )
    assert result.exit_code != 0
    assert "allow at most 3" in said(result)
