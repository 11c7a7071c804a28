"""From a feature map to a feature vector."""

from enum import StrEnum

import torch
from torch import Tensor, nn

_SMALLEST = 1e-6


class Pooling(StrEnum):
    """How the positions of a feature map become one vector."""

    AVERAGE = "average"  # the mean over the map
    GEM = "gem"  # the generalised mean, its power learned
    GRID = "grid"  # the means of a few cells side by side: where something is, counts


class Average(nn.Module):
    """The mean over the map."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, c) float32."""
        return features.mean((2, 3), dtype=torch.float32)


class GeneralisedMean(nn.Module):
    """The generalised mean over the map: power 1 is the mean, a large one the maximum.

    Source: Radenović et al. 2018, arXiv 1711.02512, eq. 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(3.0))

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, c) float32; negative features count as zero."""
        raised = features.float().clamp_min(_SMALLEST).pow(self.power)
        return raised.mean((2, 3)).pow(1 / self.power)


class Grid(nn.Module):
    """The mean in each cell of a grid: for subjects that fill the frame the same way each time."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self._cells = (rows, columns)

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, c, h, w) to (n, c · rows · columns) float32."""
        if torch.onnx.is_in_onnx_export():
            return self._as_product(features)
        cells = nn.functional.adaptive_avg_pool2d(features.float(), self._cells)
        return cells.flatten(1)

    def _as_product(self, features: Tensor) -> Tensor:
        """Pool by two matrices: ONNX has no means over cells that do not divide the map."""
        down, along = (
            _means(int(size), cells)
            for size, cells in zip(features.shape[2:], self._cells, strict=True)
        )
        return (down @ features.float() @ along.T).flatten(1)


def _means(size: int, cells: int) -> Tensor:
    """Return (cells, size): each row takes the mean of a cell, which may overlap its neighbours."""
    return nn.functional.adaptive_avg_pool1d(torch.eye(size), cells).T


def pooled_size(pooling: Pooling, grid: tuple[int, int], channels: int) -> int:
    """Return how many numbers a map of so many channels becomes."""
    return channels * grid[0] * grid[1] if pooling is Pooling.GRID else channels


def build_pooling(pooling: Pooling, grid: tuple[int, int]) -> nn.Module:
    """Build the module that does it; ``grid`` is (rows, columns)."""
    if pooling is Pooling.GRID:
        return Grid(*grid)
    return GeneralisedMean() if pooling is Pooling.GEM else Average()
