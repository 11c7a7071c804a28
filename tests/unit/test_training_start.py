"""The first weights: where they come from, and what whitening does with a planted nuisance."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from schemas.errors import SetupError
from tests.unit.training_samples import ARCHITECTURE, CPU, DIMENSION, SIDE, config, samples
from workers.model.backbone import pretrained
from workers.model.network import Architecture, EmbeddingNetwork, Head
from workers.training.start import first_network, whitened

IDENTITIES, IMAGES, FEATURES, LIT = 40, 8, 20, 3


def planted() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The light moves each image along three axes, more than identities differ on the others."""
    rng = np.random.default_rng(0)
    labels = np.arange(IDENTITIES * IMAGES) % IDENTITIES
    points = 5 + rng.normal(size=(IDENTITIES, FEATURES))[labels]
    points += 0.3 * rng.normal(size=points.shape)
    points[:, :LIT] = 5 + 8 * rng.normal(size=(len(points), LIT))
    return points.astype(np.float32), labels


def test_what_varies_inside_identities_becomes_small() -> None:
    points, labels = planted()
    weight, bias = whitened(points, labels, 12)
    assert (weight.shape, bias.shape) == ((12, FEATURES), (12,))
    assert weight.dtype == bias.dtype == np.float32
    mapped = points @ weight.T + bias
    assert np.linalg.norm(mapped, axis=1).mean() == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(mapped.mean(axis=0), 0, atol=1e-5)
    # The floor is .03 · 3 · 64 / 12 = .48: 1/√64.48 against 1/√.57 for the noise of .3.
    lengths = np.linalg.norm(weight, axis=0)
    assert lengths[:LIT].max() < lengths[LIT:].max() / 8
    before = _rank1(points - points.mean(axis=0), labels)
    assert before < 0.7 < 0.95 < _rank1(mapped, labels)


def _rank1(points: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    similar = unit @ unit.T - 9 * np.eye(len(unit))
    return float((labels[similar.argmax(axis=1)] == labels).mean())


def test_a_single_image_of_each_identity_leaves_principal_components() -> None:
    points = planted()[0]
    weight, bias = whitened(points, np.arange(len(points)), 5)
    assert np.isfinite(weight).all()
    assert np.isfinite(bias).all()
    assert np.linalg.norm(points @ weight.T + bias, axis=1).mean() == pytest.approx(1, rel=1e-3)


def test_the_head_starts_whitened_around_the_mean() -> None:
    some = samples()
    network = first_network(config(), some, CPU).eval()
    with torch.inference_mode():
        pooled = network.pooled(some.images)
        raw = network(some.images)
    torch.testing.assert_close(network.centres[0].data, pooled[0].mean(dim=0))
    assert float(raw.norm(dim=1).mean()) == pytest.approx(1, rel=1e-3)
    torch.testing.assert_close(raw.mean(dim=0), torch.zeros(DIMENSION), atol=1e-4, rtol=0)


@pytest.mark.parametrize("head", [Head.MLP, Head.DIRECT])
def test_of_other_heads_only_the_centres_are_set(head: Head) -> None:
    dimension = 64 if head is Head.DIRECT else DIMENSION
    architecture = ARCHITECTURE.model_copy(update={"head": head, "dimension": dimension})
    torch.manual_seed(0)
    made = config(architecture)
    network = first_network(made, samples(), CPU)
    assert float(network.centres[0].abs().max()) > 0
    torch.manual_seed(0)
    fresh = EmbeddingNetwork(architecture)
    for name, tensor in fresh.head.state_dict().items():
        torch.testing.assert_close(network.head.state_dict()[name], tensor, rtol=0, atol=0)


def test_without_whitening_nothing_is_fitted() -> None:
    network = first_network(config(whitened_start=False), samples(), CPU)
    assert not network.centres[0].any()


def test_too_few_images_for_the_dimension() -> None:
    few = samples(2, 3)
    made = config(ARCHITECTURE.model_copy(update={"dimension": 6}))
    with pytest.raises(
        SetupError, match=r"dimension 6: 6 train images of 64 features allow at most 5"
    ):
        first_network(made, few, CPU)
    assert first_network(config(ARCHITECTURE.model_copy(update={"dimension": 5})), few, CPU)


def test_a_dimension_above_that_of_the_features() -> None:
    some = samples(20, 4)
    made = config(ARCHITECTURE.model_copy(update={"dimension": 65}))
    with pytest.raises(
        SetupError, match=r"dimension 65: 80 train images of 64 features allow at most 64"
    ):
        first_network(made, some, CPU)
    assert first_network(config(ARCHITECTURE.model_copy(update={"dimension": 64})), some, CPU)


def test_each_backbone_gets_its_first_weights() -> None:
    architecture = Architecture(
        backbones=("conv4", "efficientnet-lite0-middle"),
        dimension=256,
        input_size=(32, 32),
        colour=False,
    )
    made = config(architecture, pretrained=True)
    some = samples(2, 2)
    some = replace(some, images=some.images.repeat(1, 1, 32 // SIDE, 32 // SIDE))
    network = first_network(made, some, CPU)
    expected = pretrained("efficientnet-lite0-middle")
    stem = network.backbones[1].state_dict()["_conv_stem.weight"]
    torch.testing.assert_close(stem, expected["_conv_stem.weight"], rtol=0, atol=0)
    scratch = first_network(made.model_copy(update={"pretrained": False}), some, CPU)
    other = scratch.backbones[1].state_dict()["_conv_stem.weight"]
    assert not torch.allclose(other, expected["_conv_stem.weight"])
