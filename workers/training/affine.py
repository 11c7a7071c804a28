"""One affine map for each image of a batch."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


@dataclass(frozen=True, slots=True)
class AffineMove:
    """What happens to the content of each image, in this order; all are (n,) float32.

    Attributes:
        right: it moves by this share of the width.
        down: it moves by this share of the height.
        wide: it becomes this many times as wide; a negative number also mirrors it.
        high: it becomes this many times as high.
        turn: it turns counter-clockwise by these degrees.
        lean: each row moves right by this share of its distance below the centre.
    """

    right: Tensor
    down: Tensor
    wide: Tensor
    high: Tensor
    turn: Tensor
    lean: Tensor


def warp(images: Tensor, move: AffineMove) -> Tensor:
    """Move the content of images, bilinear; what comes in from outside repeats the border.

    Args:
        images: (n, c, h, w) floating point.
        move: n moves, on the same device.

    Returns:
        Images of the same size.
    """
    height, width = images.shape[-2:]
    maps = _inverse(move, height / width)
    # What affine_grid makes in five passes is a sum of columns and rows: one pass.
    columns = maps[:, None, :, 0] * centres(width, images.device).view(1, -1, 1)
    rows = maps[:, None, :, 1] * centres(height, images.device).view(1, -1, 1)
    grid = columns[:, None, :, :] + (rows + maps[:, None, :, 2])[:, :, None, :]
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def centres(count: int, device: torch.device) -> Tensor:
    """(count,) where the pixels of a side have their centres, the side running from -1 to 1."""
    return (torch.arange(count, device=device) * 2 + 1) / count - 1


def _inverse(move: AffineMove, ratio: float) -> Tensor:
    """(n, 2, 3) maps from a place in the result to the place in the image that is seen there.

    Places run from -1 to 1 along each side, but turning and leaning are meant in pixels: hence
    ``ratio``, the height over the width.
    """
    angle = torch.deg2rad(move.turn)
    cos, sin = torch.cos(angle), torch.sin(angle)
    across = torch.stack([cos, -(move.lean * cos + sin) * ratio], dim=-1) / move.wide[:, None]
    along = torch.stack([sin / ratio, cos - move.lean * sin], dim=-1) / move.high[:, None]
    origin = torch.stack([move.right, move.down], dim=-1) * -2
    return torch.cat([torch.stack([across, along], dim=1), origin[:, :, None]], dim=-1)
