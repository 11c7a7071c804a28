"""The backbones: their maps, their first weights, and what folding leaves of them."""

import pytest
import torch
from torch import Tensor

from workers.model.backbone import (
    BACKBONES,
    Conv4,
    EfficientNetLite0,
    EfficientNetLite0Middle,
    fold_batch_norm,
    pretrained,
)


def images(side: int = 64) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_the_middle_maps_are_those_of_the_full_network() -> None:
    full, middle = EfficientNetLite0().eval(), EfficientNetLite0Middle().eval()
    full.load_state_dict(pretrained("efficientnet-lite0"))
    middle.load_state_dict(pretrained("efficientnet-lite0-middle"))
    taken: list[Tensor] = []
    for number in (7, 10):
        full.network._blocks[number].register_forward_hook(
            lambda _module, _given, output: taken.append(output)
        )
    with torch.inference_mode():
        full(images())
        found = middle(images())
    assert [tuple(each.shape) for each in found] == [(2, 80, 4, 4), (2, 112, 4, 4)]
    for own, others in zip(found, taken, strict=True):
        torch.testing.assert_close(own, others)
    assert float(found[0].abs().max()) > 0.1


@pytest.mark.parametrize("name", BACKBONES)
def test_maps_have_the_channels_that_are_told(name: str) -> None:
    backbone = BACKBONES[name]().eval()
    with torch.inference_mode():
        maps = backbone(images())
    assert tuple(each.shape[1] for each in maps) == backbone.channels
    share = 32 if name == "efficientnet-lite0" else 16
    assert {tuple(each.shape[2:]) for each in maps} == {(64 // share, 64 // share)}


def test_conv4_starts_from_scratch() -> None:
    assert pretrained("conv4") == {}
    parameters = sum(p.numel() for p in Conv4().parameters())
    # Without biases: 3·64·9 + 3 · 64·64·9, and two numbers for each normalised channel.
    assert parameters == 3 * 64 * 9 + 3 * 64 * 64 * 9 + 4 * 2 * 64


@pytest.mark.parametrize("name", BACKBONES)
def test_folding_keeps_the_maps(name: str) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES[name]()
    for module in backbone.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) / 10
            module.running_var = torch.rand(module.num_features) + 0.5
    with torch.inference_mode():
        before = backbone.eval()(images())
        after = fold_batch_norm(backbone)(images())
    assert not [m for m in backbone.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
