"""What of a network a step leaves as it is."""

import torch

from tests.unit.training_runs import learner
from tests.unit.training_samples import DIMENSION
from workers.model.network import Architecture, Head
from workers.training.learner import Learner

FUSED = Architecture(
    backbones=("efficientnet-lite0-middle", "conv4"),
    head=Head.LINEAR,
    dimension=DIMENSION,
    input_size=(32, 32),
)


def moved(one: Learner) -> set[str]:
    """Take a step; return what it changed in the network, by name."""
    before = {name: tensor.clone() for name, tensor in one.network.state_dict().items()}
    one.step(0)
    now = one.network.state_dict()
    return {name for name in before if not torch.equal(before[name], now[name])}


def test_pretrained_statistics_stay_and_others_are_learned() -> None:
    changed = moved(learner(architecture=FUSED, pretrained=True))
    assert not [n for n in changed if n.startswith("backbones.0.") and "running" in n]
    assert "backbones.1.layers.0.1.running_mean" in changed, "conv4 has no statistics to keep"
    thawed = moved(learner(architecture=FUSED, pretrained=True, freeze_batch_norm=False))
    assert "backbones.0._bn0.running_mean" in thawed
    scratch = moved(learner(architecture=FUSED, pretrained=False))
    assert "backbones.0._bn0.running_mean" in scratch


def test_early_blocks_stay() -> None:
    changed = moved(learner(architecture=FUSED, pretrained=True, frozen_blocks=2))
    still = ("_conv_stem", "_bn0", "_blocks.0.", "_blocks.1.")
    assert not [n for n in changed if n.startswith(tuple(f"backbones.0.{s}" for s in still))]
    assert "backbones.0._blocks.2._depthwise_conv.weight" in changed
    assert "backbones.1.layers.0.0.weight" in changed
    all_learn = moved(learner(architecture=FUSED, pretrained=True, frozen_blocks=0))
    assert "backbones.0._conv_stem.weight" in all_learn
    scratch = moved(learner(architecture=FUSED, pretrained=False, frozen_blocks=2))
    assert "backbones.0._conv_stem.weight" in scratch


def test_centres_are_not_learned() -> None:
    one = learner()
    assert not [n for n in moved(one) if n.startswith("centres")]
