"""What a loss sees and what it is: a module that takes one batch and returns one number."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn


def positives(labels: Tensor) -> Tensor:
    """Return (n, n) bool: row and column are two different images of one identity."""
    return (labels[:, None] == labels).fill_diagonal_(0)


def negatives(labels: Tensor) -> Tensor:
    """Return (n, n) bool: row and column are of different identities."""
    return labels[:, None] != labels


def has_pairs(labels: Tensor) -> bool:
    """Tell whether the batch holds at least one positive and one negative pair."""
    _, counts = torch.unique(labels, return_counts=True)
    return len(counts) > 1 and bool((counts > 1).any())


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return ‖x - y‖² of all pairs: (n, d), (m, d) -> (n, m); 0 and without slope where equal."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()


def sets_of(labels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sets of rows that share identity and group.

    Returns:
        (m,) the identity of each set, and (m, n) bool, the rows in it.
    """
    keys, owner = torch.unique(torch.stack([labels, groups], 1), dim=0, return_inverse=True)
    return keys[:, 0], owner == torch.arange(len(keys), device=labels.device)[:, None]


def means_of(x: Tensor, inside: Tensor) -> Tensor:
    """Return the mean of each set of rows: (n, d), (m, n) bool -> (m, d)."""
    return inside.to(x) @ x / inside.sum(1, keepdim=True)


def mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the values where chosen; 0, with a graph, where nothing is."""
    return values[chosen].sum() / chosen.sum().clamp(min=1)


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch after the encoder: n images, d dimensions.

    Siamese, triplet and quadruplet networks are this one encoder applied to every image once: what
    tells them apart is only how the loss pairs the rows of a batch.

    Attributes:
        raw: (n, d) float32, the head's output before normalisation.
        embeddings: (n, d) float32, the same at unit norm.
        labels: (n,) int64, from 0 to C - 1.
        groups: (n,) int64, the group of background inside an identity; 0 where there is none.
        background: (n, v) float32, the encoded background variables; NaN where not known.
    """

    raw: Tensor
    embeddings: Tensor
    labels: Tensor
    groups: Tensor
    background: Tensor


class MetricLoss(nn.Module, ABC):
    """Base of every loss: a batch in, a finite scalar with a graph out.

    It may own parameters (proxies, a variance head), which train beside the network, and buffers;
    both travel in ``state_dict``. Equal seeds give equal values. It computes in float32: call it
    outside mixed precision.
    """

    if TYPE_CHECKING:

        def __call__(self, batch: Batch) -> Tensor:
            """Return the loss of the batch, a tensor of shape ()."""
            ...

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of the batch, a tensor of shape ()."""


class PairLoss(MetricLoss):
    """A loss that compares positive pairs with negative ones.

    A batch that lacks either (one image per identity, or one identity) teaches it nothing: zero.
    """

    def forward(self, batch: Batch) -> Tensor:
        """Return :meth:`compare` where there is something to compare, else a zero with a graph."""
        if has_pairs(batch.labels):
            return self.compare(batch)
        return (batch.raw.sum() + batch.embeddings.sum()) * 0

    @abstractmethod
    def compare(self, batch: Batch) -> Tensor:
        """Return the loss of a batch that holds a positive and a negative pair."""
