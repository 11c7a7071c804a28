"""The network: what it is made of, and what an image becomes in it."""

import json

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.model import network as module
from workers.model.backbone import EfficientNetLite0, pretrained
from workers.model.network import Architecture, EmbeddingNetwork, Head
from workers.model.photometric import Light
from workers.model.pooling import Pooling

FUSED = ("conv4", "efficientnet-lite0-middle")


def images(channels: int = 3, side: int = 64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(256, (3, channels, 8, 8), generator=generator, dtype=torch.uint8)
    return coarse.repeat_interleave(side // 8, dim=2).repeat_interleave(side // 8, dim=3)


def built(*, trained: bool = False, **parts: object) -> EmbeddingNetwork:
    """A network of random weights, or of those from ImageNet, ready to embed."""
    torch.manual_seed(0)
    network = EmbeddingNetwork(Architecture.model_validate(parts))
    for name, backbone in zip(network.architecture.backbones, network.backbones, strict=True):
        if trained:
            backbone.load_state_dict(pretrained(name))
    return network.eval().requires_grad_(requires_grad=False)


def test_by_default_it_gives_the_plain_features() -> None:
    network = built(trained=True)
    backbone = network.backbones[0]
    assert isinstance(backbone, EfficientNetLite0)
    maps = backbone.network.extract_features((images().float() - 127) / 128)
    expected = nn.functional.normalize(maps.mean((2, 3)), dim=1)
    torch.testing.assert_close(network(images()), expected, atol=2e-6, rtol=1e-5)
    assert expected.shape == (3, Architecture().dimension)


def test_joined_features_have_equal_parts() -> None:
    network = built(backbones=FUSED, dimension=64 + 80 + 112)
    raw = network(images())
    assert raw.shape == (3, 256)
    for part in raw.split([64, 80, 112], dim=1):
        torch.testing.assert_close(part.norm(dim=1), torch.ones(3))


def test_each_map_is_centred_before_it_is_joined() -> None:
    network = built(backbones=FUSED, dimension=256)
    pooled = network.pooled(images())
    for centre, part in zip(network.centres, pooled, strict=True):
        centre.data.copy_(part[0] / 2)
    expected = torch.cat(
        [nn.functional.normalize(part - part[0] / 2, dim=1) for part in pooled], dim=1
    )
    torch.testing.assert_close(network(images()), expected)
    assert not any(centre.requires_grad for centre in network.centres)


@pytest.mark.parametrize(
    ("pooling", "features"), [(Pooling.GRID, 6 * 192), (Pooling.GEM, 192), (Pooling.AVERAGE, 192)]
)
@pytest.mark.parametrize("head", Head)
def test_heads(head: Head, pooling: Pooling, features: int) -> None:
    dimension = features if head is Head.DIRECT else 10
    network = built(
        backbones=["efficientnet-lite0-middle"],
        pooling=pooling,
        grid=(3, 2),
        head=head,
        dimension=dimension,
    )
    assert network(images()).shape == (3, dimension)
    layers = [m for m in network.head.modules() if isinstance(m, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in layers]
    assert (
        sizes
        == {
            Head.DIRECT: [],
            Head.LINEAR: [(features, 10)],
            Head.MLP: [(features, 40), (40, 10)],
        }[head]
    )


def test_a_direct_head_takes_no_other_dimension() -> None:
    with pytest.raises(SetupError, match="dimension 100, but a direct head gives the 192 features"):
        built(backbones=["efficientnet-lite0-middle"], dimension=100)


def test_a_backbone_must_tell_its_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "build_backbone", lambda *_: nn.Conv2d(3, 8, 3))
    monkeypatch.setattr(nn.Conv2d, "channels", 8, raising=False)
    with pytest.raises(TypeError, match=r"Conv2d\.channels is no tuple"):
        EmbeddingNetwork(Architecture(backbones=("conv4",)))


@pytest.mark.parametrize("light", Light)
def test_a_grey_network_takes_one_channel_or_three(light: Light) -> None:
    network = built(backbones=["conv4"], dimension=64, colour=False, light=light)
    single = images(1)
    torch.testing.assert_close(
        network(single), network(single.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4
    )


def test_a_grey_network_is_blind_to_colour() -> None:
    grey = built(backbones=["conv4"], dimension=64, colour=False)
    colour = built(backbones=["conv4"], dimension=64)
    # Two images of the same luminance: .299 · 100 = 29.9 = .114 · 262.3.
    red, blue = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    red[:, 0, 16:48], blue[:, 2, 16:48] = 90, 90 * 0.299 / 0.114
    torch.testing.assert_close(grey(red), grey(blue), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(colour(red), colour(blue), atol=1e-2)


def test_mean_and_deviation_apply_to_each_channel() -> None:
    plain = built(backbones=["conv4"], dimension=64)
    other = built(backbones=["conv4"], dimension=64, mean=(1, 2, 3), std=(4, 5, 6))
    scale, shift = torch.tensor([4.0, 5, 6]) / 128, torch.tensor([1.0, 2, 3])
    same = (images().float() - 127) * scale.view(1, 3, 1, 1) + shift.view(1, 3, 1, 1)
    torch.testing.assert_close(other(same), plain(images()))


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("colour", [True, False])
def test_bfloat16_backbones_are_close(light: Light, colour: bool) -> None:
    network = built(
        trained=True,
        backbones=["efficientnet-lite0-middle"],
        dimension=192,
        light=light,
        colour=colour,
    )
    exact = nn.functional.normalize(network(images()), dim=1)
    network.backbones.bfloat16()
    half = network(images())
    assert half.dtype == torch.float32
    assert float((nn.functional.normalize(half, dim=1) * exact).sum(dim=1).min()) > 0.99


def test_the_architecture_survives_json() -> None:
    architecture = Architecture(
        backbones=FUSED,
        pooling=Pooling.GRID,
        grid=(4, 3),
        head=Head.MLP,
        dimension=12,
        input_size=(96, 64),
        colour=False,
        light=Light.LOCAL,
    )
    assert Architecture.model_validate_json(architecture.model_dump_json()) == architecture


def test_a_single_number_is_a_square() -> None:
    read = Architecture.model_validate_json('{"input_size": 96}')
    assert read.input_size == (96, 96)
    assert json.loads(read.model_dump_json())["input_size"] == [96, 96]
    assert Architecture.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbones": ["resnet50"]}, "backbone 'resnet50'; known: efficientnet-lite0"),
        ({"backbones": []}, "at least 1"),
        ({"input_size": [7, 96]}, "greater than or equal to 8"),
        ({"input_size": [96]}, "input_size"),
        ({"dimension": 0}, "dimension"),
        ({"std": [1, 1, 0]}, "std"),
        ({"pool": "gem"}, "Extra inputs"),
    ],
)
def test_a_wrong_architecture_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Architecture.model_validate(changes)


def test_the_light_of_the_photograph_may_not_matter() -> None:
    network = built(backbones=["conv4"], dimension=64, light=Light.STANDARDISE)
    bright = images().float()
    torch.testing.assert_close(network(bright * 0.5 + 20), network(bright), atol=0.05, rtol=0.05)
