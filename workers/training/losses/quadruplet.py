"""Quadruplet loss: positives nearer than negatives, and nearer than any two strangers."""

import torch
from torch import Tensor, inf
from torch.nn.functional import relu

from workers.training.losses.base import Batch, PairLoss, negatives, positives, squared_distances


class Quadruplet(PairLoss):
    """Mean over positive pairs (i, j) of two hinges (Chen et al. 2017, arXiv 1704.01719, Eq. 7).

    ``[d²(i, j) - d²(i, k) + α₁]₊ + [d²(i, j) - d²(l, k) + α₂]₊``, where i, k and l are of three
    identities: the second hinge compares with a pair that shares no image with (i, j), which keeps
    an identity tight even where no anchor is near. α₂ < α₁, for it is the weaker demand.

    As the paper mines hard negatives, so here: k is the negative nearest to i, and (l, k) the
    nearest pair of other identities. Unlike the paper, d is the Euclidean distance of unit
    embeddings, which is what the stream matches by, not a learned similarity; and the margins are
    fixed, not taken from the batch's mean distances.
    """

    margin, weaker_margin = 0.4, 0.2

    def compare(self, batch: Batch) -> Tensor:
        """Return the mean loss of the positive pairs."""
        distances = squared_distances(batch.embeddings, batch.embeddings)
        apart = negatives(batch.labels)
        i, j = positives(batch.labels).nonzero(as_tuple=True)
        nearest = distances.masked_fill(~apart, inf).amin(1)
        identities, owner = torch.unique(batch.labels, return_inverse=True)
        others = identities[:, None] != batch.labels
        strangers = others[:, :, None] & others[:, None, :] & apart
        nearest_strangers = distances.masked_fill(~strangers, inf).amin((1, 2))
        return (
            relu(distances[i, j] - nearest[i] + self.margin)
            + relu(distances[i, j] - nearest_strangers[owner[i]] + self.weaker_margin)
        ).mean()
