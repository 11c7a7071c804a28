"""Ladder loss: nearer the more relevant, rung by rung."""

import torch
from torch import Tensor, inf
from torch.nn.functional import relu

from workers.training.losses.base import Batch, PairLoss, mean_where, negatives, positives


class Ladder(PairLoss):
    """Graded relevance (Zhou et al. 2020, arXiv 1911.07528), grades from the background variables.

    For an anchor, *the same identity against a near background* should be more similar than *the
    same identity*, and that more than *another identity*. Each rung is the paper's hinge with
    hard-contrastive sampling, on the cosine s:

    ``[α - min s(above the rung) + max s(below it)]₊``, the rungs weighted by β.

    The first rung is an ordinary hard triplet loss; the second only orders what is left, so its α
    and β are small, as the paper has them. The paper relates captions to images; here both sides
    are images, and its relevance of captions becomes :func:`near_background`.
    """

    margin, background_margin, background_weight = 0.2, 0.01, 0.25

    def compare(self, batch: Batch) -> Tensor:
        """Return the weighted sum of both rungs, each a mean over its anchors."""
        similarities = batch.embeddings @ batch.embeddings.T
        same = positives(batch.labels)
        other = negatives(batch.labels)
        near = same & near_background(batch.background)
        identity = rung(similarities, same, other, self.margin)
        background = rung(similarities, near, (same | other) & ~near, self.background_margin)
        return identity + self.background_weight * background


def rung(similarities: Tensor, above: Tensor, below: Tensor, margin: float) -> Tensor:
    """Return the mean hinge of the anchors (rows) that have images on both sides of a rung."""
    lowest_above = similarities.masked_fill(~above, inf).amin(1)
    highest_below = similarities.masked_fill(~below, -inf).amax(1)
    return mean_where(relu(margin - lowest_above + highest_below), above.any(1) & below.any(1))


def near_background(background: Tensor) -> Tensor:
    """Return (n, n) bool: two images' backgrounds differ no more than those of the mean pair.

    The difference is the mean over the variables that both images have (Gower); where they have
    none in common it is not known, and not near.
    """
    known = ~background.isnan()
    values = background.nan_to_num().double()  # so that the order of summing cannot break a tie
    common = known[:, None] & known
    gaps = ((values[:, None] - values).abs() * common).sum(2) / common.sum(2)
    others = ~torch.eye(len(gaps), dtype=torch.bool, device=gaps.device)
    return gaps <= gaps[others].nanmean() * (1 + 1e-9)
