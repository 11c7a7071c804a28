"""A linear map folded into every kind of head, and what is said of missing values."""

import numpy as np
import pytest
import torch

from tests.unit.training_samples import ARCHITECTURE, samples
from workers.model.network import EmbeddingNetwork, Head
from workers.training.finish import fold_in


@pytest.mark.parametrize(
    ("head", "dimension"),
    [(Head.DIRECT, 5), (Head.DIRECT, 64), (Head.LINEAR, 5), (Head.LINEAR, 8), (Head.MLP, 8)],
)
@pytest.mark.parametrize("backbones", [("conv4",), ("conv4", "conv4")])
def test_folding_a_map_in_is_exact(backbones: tuple[str, ...], head: Head, dimension: int) -> None:
    size = 64 * len(backbones) if head is Head.DIRECT else 8
    architecture = ARCHITECTURE.model_copy(
        update={"backbones": backbones, "head": head, "dimension": size}
    )
    torch.manual_seed(0)
    network = EmbeddingNetwork(architecture).eval()
    learned = np.random.default_rng(0).normal(size=(dimension, size)).astype(np.float32)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    changed, weights = fold_in(architecture, before, learned)
    assert changed.dimension == dimension
    assert changed.head is (Head.LINEAR if head is Head.DIRECT else head)
    folded = EmbeddingNetwork(changed).eval()
    folded.load_state_dict(weights)
    with torch.inference_mode():
        expected = network(samples().images) @ torch.from_numpy(learned).T
        found = folded(samples().images)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    for name, tensor in network.state_dict().items():
        assert torch.equal(before[name], tensor), "the old weights stay"
