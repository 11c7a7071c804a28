"""Test-time views (paper, §3.4): an image is embedded in several ways, and the mean is taken.

Vectors of the same model made with different views are not comparable without loss: a gallery and
its probes must share them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from schemas.choices import Views

CROP = 7 / 8
"""Side of a crop as a share of the image's."""

_AT_ONCE = 64

View = Callable[[Tensor], Tensor]


def number_of(views: Views) -> int:
    """Return how many views are taken of an image."""
    return len(_VIEWS[views])


def embed_views(
    network: Callable[[Tensor], Tensor], images: Tensor, views: Views, *, at_once: int = _AT_ONCE
) -> Tensor:
    """Embed images in several views.

    Args:
        network: maps (m, c, h, w) to (m, d) embeddings.
        images: (n, c, h, w), as the network takes them.
        views: which.
        at_once: most images in one pass of the network (all of them in a pass under ``NONE``, which
            is the network itself).

    Returns:
        (n, d) float32: the mean over the views of the embeddings at unit norm, at unit norm again;
        under ``NONE`` what the network gives. Zero where the views cancel out, NaN where one is
        NaN.
    """
    if views is Views.NONE or not len(images):
        return network(images)
    parts = torch.split(images, at_once)
    return torch.cat([_embed(network, part, _VIEWS[views], at_once) for part in parts])


def _embed(
    network: Callable[[Tensor], Tensor], images: Tensor, views: Sequence[View], at_once: int
) -> Tensor:
    count = len(images)
    together = max(1, at_once // count)  # views of few images share a pass
    vectors = [
        network(torch.cat([view(images) for view in views[first : first + together]]))
        for first in range(0, len(views), together)
    ]
    units = functional.normalize(torch.cat(vectors).float(), dim=1)
    return functional.normalize(units.view(len(views), count, -1).mean(dim=0), dim=1)


def _whole(images: Tensor) -> Tensor:
    return images


def _mirrored(images: Tensor) -> Tensor:
    return images.flip(3)


def _crop(images: Tensor, *, down: float, right: float, mirror: bool) -> Tensor:
    """Cut out a part, from 0 (top, left) to 1 (bottom, right), and bring it back to full size."""
    full = images.shape[2:]
    height, width = (max(1, round(side * CROP)) for side in full)
    top, left = round((full[0] - height) * down), round((full[1] - width) * right)
    part = images[:, :, top : top + height, left : left + width]
    resized = functional.interpolate(part, tuple(full), mode="bilinear", align_corners=False)
    return resized.flip(3) if mirror else resized


_PLACES = ((0.5, 0.5), (0, 0), (0, 1), (1, 0), (1, 1))
_VIEWS: Mapping[Views, tuple[View, ...]] = MappingProxyType(
    {
        Views.NONE: (_whole,),
        Views.FLIP: (_whole, _mirrored),
        Views.CROPS: tuple(
            partial(_crop, down=down, right=right, mirror=mirror)
            for mirror in (False, True)
            for down, right in _PLACES
        ),
    }
)
