"""Magnet loss: clusters, not single images, attract and repel."""

import torch
from torch import Tensor, inf
from torch.nn.functional import relu

from workers.training.losses.base import (
    Batch,
    PairLoss,
    mean_where,
    means_of,
    sets_of,
    squared_distances,
)


class Magnet(PairLoss):
    """Each image nearer to its cluster's mean than to those of other identities.

    Rippel et al. 2016, arXiv 1511.05939, Eq. 4-5: with μ the means of the batch's clusters and
    ``σ² = Σ‖r - μ(r)‖² / (N - 1)``, the mean over images of

    ``[‖r - μ(r)‖²/2σ² + α + log Σ exp(-‖r - μ‖²/2σ²)]₊``, Σ over clusters of other identities.

    In the paper an identity's clusters come from k-means on all embeddings, made anew now and then.
    Here they are **the identity's groups of background**, read from the batch: no memory of
    embeddings, no k-means. An image alone in its group joins the identity's other lone images, and
    one that is alone even so is only a foreign cluster to others. The paper also draws whole
    neighbourhoods of clusters into a batch; that is the sampler's part, not done here.
    """

    margin = 1.0
    least_variance = 0.01  # collapsed clusters would make the exponents explode

    def compare(self, batch: Batch) -> Tensor:
        """Return the mean loss of the images that share a cluster with another."""
        identity, inside = clusters(batch.labels, batch.groups)
        shared = inside[inside.sum(1) > 1].any(0)
        distances = squared_distances(batch.embeddings, means_of(batch.embeddings, inside))
        own = (distances * inside.T).sum(1)
        variance = (own.sum() / (shared.sum() - 1)).clamp(min=self.least_variance)
        foreign = batch.labels[:, None] != identity
        repulsion = (-distances / (2 * variance)).masked_fill(~foreign, -inf).logsumexp(1)
        return mean_where(relu(own / (2 * variance) + self.margin + repulsion), shared)


def clusters(labels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return each cluster's identity (m,) and rows (m, n); an identity's lone rows share one."""
    _, inside = sets_of(labels, groups)
    lone = inside[inside.sum(1) == 1].any(0)
    return sets_of(labels, torch.where(lone, -1, groups))
