"""Batches whose losses can be worked out by hand: unit vectors in the plane, given as angles."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from workers.training.losses.base import Batch


def at(
    degrees: Sequence[float],
    labels: Sequence[int],
    groups: Sequence[int] | None = None,
    background: Sequence[Sequence[float]] | None = None,
) -> Batch:
    """Unit vectors in the plane, in double precision; raw is the same."""
    angles = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    vectors = torch.stack([angles.cos(), angles.sin()], 1).requires_grad_()
    count = len(labels)
    return Batch(
        raw=vectors,
        embeddings=vectors,
        labels=torch.tensor(labels),
        groups=torch.zeros(count, dtype=torch.int64) if groups is None else torch.tensor(groups),
        background=torch.tensor(background if background is not None else [[]] * count),
    )


def around(raw: Tensor, labels: Sequence[int], groups: Sequence[int]) -> Batch:
    """A batch as the trainer makes it: raw output and the same at unit norm."""
    return Batch(
        raw=raw,
        embeddings=normalize(raw),
        labels=torch.tensor(labels),
        groups=torch.tensor(groups),
        background=torch.tensor(groups, dtype=torch.float32)[:, None],
    )


def cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def sin(degrees: float) -> float:
    return math.sin(math.radians(degrees))


def chord(degrees: float) -> float:
    """Distance of two unit vectors at this angle."""
    return 2 * sin(degrees / 2)
