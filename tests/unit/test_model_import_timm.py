"""``perennial model import timm:NAME``, with random weights: nothing is fetched."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from timm.models._hub import save_for_hf

from tests.environment import default_settings
from tests.unit.test_model_import import imports, photographs, refused, unit_norm
from workers.model.model_folder import read_model


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    default_settings(monkeypatch)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "model"


def weights_of(name: str, path: Path, prefix: str = "", **more: object) -> Any:
    """Write the weights of a network with a classifier; return the network without it."""
    torch.manual_seed(0)
    network: Any = timm.create_model(name, num_classes=5, **more).eval()
    save_file({f"{prefix}{n}": w for n, w in network.state_dict().items()}, path)
    network.reset_classifier(0)
    return network


def expected(network: Any, size: tuple[int, int]) -> NDArray[np.float32]:
    config = timm.data.resolve_model_data_config(network)
    images = torch.from_numpy(photographs(size)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        features = network((images - mean) / std)
    return unit_norm(features)


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_vit", "test_convnext"])
@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_local_weights(tmp_path: Path, out: Path, name: str, prefix: str) -> None:
    path = tmp_path / "weights.safetensors"
    network = weights_of(name, path, prefix)
    model = imports(Path(f"timm:{name}"), out, "--weights", str(path))
    assert np.allclose(
        model.embed(photographs(model.input_size)), expected(network, model.input_size), atol=1e-4
    )
    assert read_model(out)[0].architecture.backbones == (f"timm:{name}",)


def test_another_size_for_a_transformer(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = weights_of("test_vit", path, img_size=(96, 64))
    model = imports(Path("timm:test_vit"), out, "--weights", str(path), "--size", "96x64")
    assert model.input_size == (96, 64)
    assert np.allclose(model.embed(photographs((96, 64))), expected(network, (96, 64)), atol=1e-4)


def test_a_folder_as_on_the_hub(tmp_path: Path, out: Path) -> None:
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=5, in_chans=3).eval()
    save_for_hf(network, tmp_path / "hub", model_config={"num_classes": 5}, safe_serialization=True)
    model = imports(Path(f"local-dir:{tmp_path / 'hub'}"), out)
    network.reset_classifier(0)
    assert np.allclose(
        model.embed(photographs(model.input_size)), expected(network, model.input_size), atol=1e-4
    )
    assert model.version.startswith("hub@")


def test_what_timm_refuses(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "weights.safetensors"
    weights_of("test_resnet", path)
    assert "does not build no_such_network" in refused("timm:no_such_network", out)
    assert "lack" in refused("timm:test_vit", out, "--weights", str(path))
    assert "together" in refused("timm:test_resnet", out, "--weights", str(path), "--mean", "0,0,0")
    assert "pooled features" in refused("timm:test_resnet", out, "--output", "y")
    save_file({"other": torch.zeros(2)}, path)
    assert "they have other" in refused("timm:test_resnet", out, "--weights", str(path))


class Runs:
    """What a pickle would do when it is opened."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("opened",))


def test_a_pickle_is_opened_without_its_code(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"fc.weight": Runs()}, "weights.pth")
    assert "weights.pth" in refused("timm:test_resnet", out, "--weights", "weights.pth")
    assert not Path("opened").exists()
    network = timm.create_model("test_resnet", num_classes=5)
    torch.save(network.state_dict(), "weights.pth")
    imports(Path("timm:test_resnet"), out, "--weights", "weights.pth")


def test_without_timm_the_command_that_installs_it_is_named(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    for module in ("timm_source", "timm_backbone"):
        monkeypatch.delitem(sys.modules, f"workers.model.imported.{module}", raising=False)
    assert "make install-timm" in refused("timm:test_resnet", out)
