"""Deep variational metric learning: what varies inside an identity is modelled, not fought."""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from workers.training.losses.base import Batch, MetricLoss, PairLoss, means_of, sets_of


class DeepVariational(PairLoss):
    """Identity centres plus drawn within-identity variation (DVML, Lin et al. 2018, ECCV).

    An embedding is its identity's centre plus a variation z whose distribution does not depend on
    the identity: z ~ N(μ, σ²), given by a variance head and held to N(0, 1). Four terms:

    ``λ₁·KL(N(μ, σ²) ‖ N(0, 1)) + λ₂·‖decode(c + z) - f‖² + λ₃·L(c + z) + λ₄·L(f)``

    with f the embedding, c the mean of its identity in the batch and L any metric loss. The third
    term trains on images that were never taken: the same identities under drawn variation.

    What differs from the paper. There, heads for f, μ and σ sit side by side on the backbone's
    features, and the decoder rebuilds those; a loss here sees only the embedding, so μ and σ are
    read from it and the decoder rebuilds it (its target is detached, lest it collapse). z is scaled
    by ``spread / √d``, for unit embeddings cannot bear a variation of norm √d. Training has one
    phase instead of two, and the weights are ours.
    """

    def __init__(
        self,
        dimension: int,
        metric: MetricLoss,
        spread: float = 0.5,
        weights: tuple[float, float, float, float] = (1, 1, 0.1, 1),
    ) -> None:
        super().__init__()
        self.metric = metric
        self.scale = spread / math.sqrt(dimension)
        self.weights = weights
        self.variation = nn.Linear(dimension, 2 * dimension)
        self.decoder = nn.Sequential(
            nn.Linear(dimension, dimension), nn.ReLU(), nn.Linear(dimension, dimension)
        )

    def compare(self, batch: Batch) -> Tensor:
        """Return the weighted sum of the four terms; draws from torch's global generator."""
        invariant = batch.embeddings
        components = invariant * math.sqrt(invariant.shape[1])  # of unit size, as the prior's are
        mean, log_variance = self.variation(components).chunk(2, dim=1)
        drawn = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        synthetic = centres_of(invariant, batch.labels) + self.scale * drawn
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).mean() / 2
        rebuilt = (self.decoder(synthetic) - invariant.detach()).square().sum(1).mean()
        imagined = replace(batch, raw=synthetic, embeddings=normalize(synthetic))
        terms = (divergence, rebuilt, self.metric(imagined), self.metric(batch))
        return torch.stack([w * term for w, term in zip(self.weights, terms, strict=True)]).sum()


def centres_of(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Return each row's identity mean in the batch: (n, d), (n,) -> (n, d)."""
    _, inside = sets_of(labels, labels)
    return inside.T.to(embeddings) @ means_of(embeddings, inside)
