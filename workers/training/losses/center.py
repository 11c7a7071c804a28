"""Center loss: a softmax keeps identities apart, a pull to the centre keeps each together."""

import torch
from torch import Tensor

from workers.training.losses.base import Batch, MetricLoss


class Center(MetricLoss):
    """Softmax and centre together (Wen et al. 2016, ECCV, Eq. 5): ``L_S + λ/2·mean‖x - c(x)‖²``.

    Without L_S all would fall into one point, so the paper trains both jointly, and so it is here:
    ``softmax`` is that part. The centres are no parameters; each batch moves those of its
    identities (Eq. 4) by ``rate·Σ(x - c)/(1 + count)``. They start at the origin.

    x is the unit embedding, where the paper has raw features, and the term is a mean over the
    batch, not a sum; hence a larger λ than the paper's.
    """

    centres: Tensor

    def __init__(
        self,
        dimension: int,
        classes: int,
        softmax: MetricLoss,
        weight: float = 0.5,
        rate: float = 0.5,
    ) -> None:
        super().__init__()
        self.softmax = softmax
        self.weight = weight
        self.rate = rate
        self.register_buffer("centres", torch.zeros(classes, dimension))

    def forward(self, batch: Batch) -> Tensor:
        """Return the joint loss against the centres as they stand; in training, then move them."""
        away = batch.embeddings - self.centres[batch.labels]
        if self.training:
            self._move(away.detach(), batch.labels)
        return self.softmax(batch) + self.weight / 2 * away.square().sum(1).mean()

    def _move(self, away: Tensor, labels: Tensor) -> None:
        sums = torch.zeros_like(self.centres).index_add(0, labels, away.to(self.centres))
        counts = labels.bincount(minlength=len(self.centres))
        self.centres += self.rate * sums / (1 + counts)[:, None]
