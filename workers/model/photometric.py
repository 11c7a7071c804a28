"""From pixels to what a network sees: colour or grey, and the light taken out or left in."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FLAT = 5.0  # grey levels: an image with a smaller deviation is not stretched to noise
_DARK = 5.0  # grey levels added before the logarithm
_FLAT_LOCALLY = 0.05  # the same as _FLAT for logarithms
_REACH = 1 / 30  # deviation of the neighbourhood, as a share of the image's height
_FURTHEST = 3.0


class Light(StrEnum):
    """What is done about the light before the network."""

    KEEP = "keep"  # (x - mean) / std with the card's constants
    STANDARDISE = "standardise"  # zero mean and unit deviation of each image
    LOCAL = "local"  # the same in every neighbourhood: shadows and gradients of light go


def grey(images: Tensor) -> Tensor:
    """Return the luminance, (n, 1, h, w), of (n, 3, h, w); a single channel is returned as is."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(_GREY, dtype=torch.float32, device=images.device).view(1, 3, 1, 1)
    return (images.float() * weights).sum(dim=1, keepdim=True)


def relieve(images: Tensor, light: Light) -> Tensor:
    """Take the light out of (n, c, h, w) float32 images of 0..255; ``KEEP`` is the identity."""
    return _LIGHTS[light](images)


def _standardise(images: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
    return (images - mean) / (deviation + _FLAT)


def _local(images: Tensor) -> Tensor:
    """Contrast normalisation of the logarithm: a gain that varies smoothly over the image cancels.

    After Tan & Triggs 2010, "Enhanced Local Texture Feature Sets for Face Recognition Under
    Difficult Lighting Conditions", with a local deviation in the place of their two global steps.
    """
    sigma = max(1.0, int(images.shape[2]) * _REACH)
    logarithms = torch.log(images + _DARK)
    detail = logarithms - _blur(logarithms, sigma)
    deviation = _blur(detail * detail, sigma).clamp_min(0).sqrt()
    return (detail / (deviation + _FLAT_LOCALLY)).clamp(-_FURTHEST, _FURTHEST)


def _blur(images: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian, rows and columns apart; the border is mirrored."""
    channels, height, width = map(int, images.shape[1:])  # numbers to the exporter too
    radius = min(round(3 * sigma), min(height, width) - 1)
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32, device=images.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    line = (kernel / kernel.sum()).view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    padded = functional.pad(images, (radius, radius, radius, radius), mode="reflect")
    rows = functional.conv2d(padded, line, groups=channels)
    return functional.conv2d(rows, line.transpose(2, 3), groups=channels)


_LIGHTS: Mapping[Light, Callable[[Tensor], Tensor]] = MappingProxyType(
    {Light.KEEP: lambda images: images, Light.STANDARDISE: _standardise, Light.LOCAL: _local}
)
