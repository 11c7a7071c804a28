"""Every runtime that is installed computes what torch does, for every kind of network."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.choices import Device, InferenceRuntime, Precision, Views
from schemas.settings import load_settings
from workers.model.backbone import PRETRAINED, pretrained
from workers.model.model import EmbeddingModel, load_model
from workers.model.model_folder import ModelCard, write_model
from workers.model.network import Architecture, EmbeddingNetwork, Head
from workers.model.photometric import Light
from workers.model.pooling import Pooling

RUNTIMES = (InferenceRuntime.TORCH, InferenceRuntime.ONNXRUNTIME, InferenceRuntime.OPENVINO)
ARCHITECTURES = {
    "wide": Architecture(input_size=(64, 96)),
    "middle": Architecture(
        backbones=("efficientnet-lite0-middle",), pooling=Pooling.GRID, grid=(3, 2),
        head=Head.LINEAR, dimension=32, input_size=(112, 112), light=Light.LOCAL, colour=False,
    ),
    "joined": Architecture(
        backbones=("conv4", "efficientnet-lite0"), pooling=Pooling.GEM, head=Head.MLP,
        dimension=16, input_size=(64, 64), light=Light.STANDARDISE,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its head drawn at random."""
    name: str = request.param
    architecture = ARCHITECTURES[name]
    torch.manual_seed(1)
    network = EmbeddingNetwork(architecture)
    for kind, backbone in zip(architecture.backbones, network.backbones, strict=True):
        backbone.load_state_dict(pretrained(kind), strict=kind in PRETRAINED)
    path = tmp_path_factory.mktemp("model") / name
    write_model(path, ModelCard(name="drawn", architecture=architecture), network.state_dict())
    return path


def load(
    folder: Path, runtime: InferenceRuntime, views: Views = Views.NONE, **changes: object
) -> EmbeddingModel:
    """Load a model with a cache beside it."""
    settings = load_settings().model_copy(
        update={"model": folder, "device": Device.CPU, "precision": Precision.FLOAT32}
        | {"runtime": runtime, "views": views, "cache": folder.parent / "cache"} | changes
    )  # fmt: skip
    return load_model(settings, passes=2)


def pictures(model: EmbeddingModel, count: int) -> np.ndarray:
    """Return smooth noise, (count, h, w, 3)."""
    height, width = model.input_size
    coarse = np.random.default_rng(3).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return coarse.repeat(-(-height // 8), axis=1).repeat(-(-width // 8), axis=2)[:, :height, :width]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("views", [Views.NONE, Views.FLIP])
def test_vectors_are_those_of_torch(folder: Path, runtime: InferenceRuntime, views: Views) -> None:
    model, reference = load(folder, runtime, views), load(folder, InferenceRuntime.TORCH, views)
    assert model.runtime is runtime
    assert model.version == reference.version
    images = pictures(model, 5)
    vectors = model.embed(images)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, reference.embed(images), atol=2e-5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_place_and_size_of_the_batch_do_not_matter(folder: Path, runtime: InferenceRuntime) -> None:
    model = load(folder, runtime)
    images = pictures(model, 9)
    together = model.embed(images)
    for count in (1, 2, 7):
        np.testing.assert_allclose(model.embed(images[-count:]), together[-count:], atol=2e-5)
    assert model.embed(images[:0]).shape == (0, model.dimension)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_threads_share_it(folder: Path, runtime: InferenceRuntime) -> None:
    model = load(folder, runtime)
    images = pictures(model, 8)
    expected = model.embed(images)
    with ThreadPoolExecutor(4) as threads:
        for number, vectors in enumerate(threads.map(model.embed, np.split(images, 8))):
            np.testing.assert_allclose(vectors[0], expected[number], atol=2e-5)
