"""What a loss is: a module that sees one batch and returns one number."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor, nn

from workers.training.batch import Batch
from workers.training.losses.pairs import has_pairs


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
