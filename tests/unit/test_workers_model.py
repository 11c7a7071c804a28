"""The model: what it computes, what its version covers, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from schemas.choices import Device, Precision, Views
from schemas.errors import SetupError
from schemas.settings import load_settings
from tests.unit.tiny_models import write_tiny
from workers.model.backbone import EfficientNetLite0, fold_batch_norm, pretrained
from workers.model.model import DEFAULT_CARD, EmbeddingModel, default_weights, load_model
from workers.model.model_folder import CARD, WEIGHTS, ModelCard, read_model, version, write_model


def load(folder: Path | None, precision: Precision = Precision.FLOAT32) -> EmbeddingModel:
    return load_model(load_settings(model=folder, device=Device.CPU, precision=precision))


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return load(None)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    return noise.repeat(28, axis=1).repeat(28, axis=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path, DEFAULT_CARD, default_weights())
    return tmp_path


def test_it_computes_the_network_as_its_authors_wrote_it(
    model: EmbeddingModel, images: np.ndarray
) -> None:
    network = EfficientNetLite0().eval()
    network.load_state_dict(pretrained("efficientnet-lite0"))
    scaled = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        features = network.network.extract_features(scaled).mean((2, 3)).numpy()
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(model.embed(images), expected, atol=2e-6)


def test_vectors(model: EmbeddingModel, images: np.ndarray) -> None:
    vectors = model.embed(images)
    assert vectors.shape == (4, model.dimension) == (4, 1280)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(model.embed(images[1:2]), vectors[1:2], atol=2e-6)
    assert (vectors @ vectors.T)[~np.eye(4, dtype=bool)].max() < 0.995, "images differ"


def test_bfloat16_is_close(model: EmbeddingModel, images: np.ndarray) -> None:
    half = load(None, Precision.BFLOAT16).embed(images)
    assert half.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-5)
    assert (half * model.embed(images)).sum(axis=1).min() > 0.99


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((1, 3, 224, 224), np.uint8),
        np.zeros((1, 225, 224, 3), np.uint8),
        np.zeros((224, 224, 3), np.uint8),
    ],
)
def test_another_shape_is_refused(model: EmbeddingModel, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        model.embed(images)


def test_a_folder_pins_the_model(model: EmbeddingModel, folder: Path, images: np.ndarray) -> None:
    pinned = load(folder)
    assert pinned.version == model.version
    np.testing.assert_array_equal(pinned.embed(images), model.embed(images))
    assert not list(folder.glob("*.p*t*")), "no pickle"


@pytest.mark.parametrize("views", [Views.FLIP, Views.CROPS])
def test_other_views_are_other_vectors_and_another_version(views: Views, tmp_path: Path) -> None:
    def tiny(seen: Views) -> EmbeddingModel:
        return load_model(
            load_settings(
                model=tmp_path, device=Device.CPU, precision=Precision.FLOAT32, views=seen
            )
        )

    write_tiny(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    mirrored = np.ascontiguousarray(image[:, :, ::-1])
    plain, other = tiny(Views.NONE), tiny(views)
    assert "+" not in plain.version
    assert other.version == f"{plain.version}+{views}"
    assert not np.allclose(plain.embed(image), plain.embed(mirrored), atol=1e-3)
    np.testing.assert_allclose(other.embed(image), other.embed(mirrored), atol=1e-5)
    assert np.linalg.norm(other.embed(image)) == pytest.approx(1, abs=1e-5)


def test_the_version_covers_card_and_weights() -> None:
    weights = default_weights()
    first = version(DEFAULT_CARD, weights)
    assert first.startswith("efficientnet-lite0-imagenet@")
    assert len(first.partition("@")[2]) == 12
    assert version(DEFAULT_CARD, dict(reversed(list(weights.items())))) == first
    other = DEFAULT_CARD.architecture.model_copy(update={"mean": (0.0, 0.0, 0.0)})
    other_mean = DEFAULT_CARD.model_copy(update={"architecture": other})
    told = DEFAULT_CARD.model_copy(update={"about": "x", "training": {"steps": 1}})
    assert version(told, weights) == first, "what is said of a model does not change it"
    assert version(other_mean, weights) != first
    name = next(iter(weights))
    changed = weights[name].clone()
    changed[(0,) * changed.ndim] += 1
    assert version(DEFAULT_CARD, {**weights, name: changed}) != first


def _card(folder: Path, **changes: object) -> None:
    card = json.loads((folder / CARD).read_text())
    for name, value in changes.items():
        (card["architecture"] if name in card["architecture"] else card)[name] = value
    (folder / CARD).write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbones": ["resnet"]}, "known: efficientnet-lite0"),
        ({"dimension": 512}, "direct head gives the 1280 features"),
        ({"std": [0.0, 1.0, 1.0]}, "std"),
        ({"mean": [1.0]}, "mean"),
        ({"name": "a b"}, "name"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_card_is_refused(folder: Path, changes: dict[str, object], message: str) -> None:
    _card(folder, **changes)
    with pytest.raises(SetupError, match=message):
        load(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="PERENNIAL_MODEL"):
        load(tmp_path / "none")


def test_wrong_weights_are_refused(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = "backbones.0.network._conv_stem.weight"
    save_file({key: value for key, value in weights.items() if key != name}, folder / WEIGHTS)
    with pytest.raises(SetupError, match=name):
        load(folder)
    save_file({**weights, name: torch.full_like(weights[name], torch.nan)}, folder / WEIGHTS)
    with pytest.raises(SetupError, match="grey image"):
        load(folder)
    (folder / WEIGHTS).write_bytes(b"\x80\x04pickle")
    with pytest.raises(SetupError, match="PERENNIAL_MODEL"):
        load(folder)


def test_what_was_written_is_read(folder: Path) -> None:
    card, weights = read_model(folder)
    assert card == DEFAULT_CARD
    assert isinstance(card, ModelCard)
    assert set(weights) == set(default_weights())


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(SetupError, match="PERENNIAL_DEVICE"):
        load_model(load_settings(model=None, device=Device.CUDA, precision=Precision.FLOAT32))


def test_folding_keeps_the_function() -> None:
    torch.manual_seed(0)
    block = nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.BatchNorm2d(8)
    )
    for norm in (block[1], block[3]):
        assert isinstance(norm, nn.BatchNorm2d)
        norm.running_mean = torch.randn(8)
        norm.running_var = torch.rand(8) + 0.5
    network = nn.Sequential(block, nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4)).eval()
    images = torch.randn(2, 3, 9, 9)
    with torch.inference_mode():
        before = network(images)
        after = fold_batch_norm(network)(images)
    torch.testing.assert_close(after, before)
    left = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert left == [block[3]], "the one that follows no convolution"
