"""PDDM: a learned similarity that depends on where in the space the two images lie."""

import torch
from torch import Tensor, inf, nn
from torch.nn.functional import normalize, relu

from workers.training.losses.base import Batch, PairLoss, negatives, positives

_SMALLEST_NORM = 1e-4  # below it a direction is rounding noise; also bounds the gradient


class PositionDependentMetric(nn.Module):
    """Similarity of pairs of embeddings from their difference *and* their mean (the PDDM unit)."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.difference = nn.Linear(dimension, dimension)
        self.position = nn.Linear(dimension, dimension)
        self.joint = nn.Linear(2 * dimension, dimension)
        self.score = nn.Linear(dimension, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the similarity, larger is closer: (..., d), (..., d) -> (...)."""
        u = relu(self.difference(_direction((x - y).abs())))
        v = relu(self.position(_direction((x + y) / 2)))
        joint = relu(self.joint(torch.cat([_direction(u), _direction(v)], -1)))
        score: Tensor = self.score(_direction(joint))
        return score.squeeze(-1)


class Pddm(PairLoss):
    """Double-header hinge loss on hard quadruplets (Huang et al. 2016, arXiv 1610.08904).

    A quadruplet is a positive pair (i, j), k the hardest negative of i and l that of j, hard by the
    learned similarity S. The two heads hinge on S and on the embeddings' squared distance D:

    ``[α - S(i,j) + S(i,k)]₊ + [α - S(i,j) + S(j,l)]₊``
    ``+ λ·([β + D(i,j) - D(i,k)]₊ + [β + D(i,j) - D(j,l)]₊)``

    S guides the mining in training and is then left behind: the stream matches by D. The paper
    takes the one hardest quadruplet of a batch; here each anchor contributes its own, which costs
    no further mining. The paper's weight decay is the optimizer's affair.
    """

    margin, embedding_margin, weight = 0.5, 1.0, 0.5

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.similarity: nn.Module = PositionDependentMetric(dimension)

    def compare(self, batch: Batch) -> Tensor:
        """Return the mean loss of the hard quadruplets."""
        rows = hard_quadruplets(self.similarity, batch.embeddings, batch.labels)
        xi, xj, xk, xl = (batch.embeddings[row] for row in rows)
        closeness = self.similarity(xi, xj)
        distance = _squared(xi - xj)
        learned = relu(self.margin - closeness + self.similarity(xi, xk)) + relu(
            self.margin - closeness + self.similarity(xj, xl)
        )
        euclidean = relu(self.embedding_margin + distance - _squared(xi - xk)) + relu(
            self.embedding_margin + distance - _squared(xj - xl)
        )
        return (learned + self.weight * euclidean).mean()


@torch.no_grad()
def hard_quadruplets(
    similarity: nn.Module, embeddings: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the rows (i, j, k, l) of each anchor i's hardest quadruplet, by the similarity."""
    n, d = embeddings.shape
    scores = similarity(embeddings[:, None].expand(n, n, d), embeddings.expand(n, n, d))
    same = positives(labels)
    i = same.any(1).nonzero().squeeze(1)
    j = scores.masked_fill(~same, inf).argmin(1)[i]
    hardest_negative = scores.masked_fill(~negatives(labels), -inf).argmax(1)
    return i, j, hardest_negative[i], hardest_negative[j]


def _direction(x: Tensor) -> Tensor:
    return normalize(x, dim=-1, eps=_SMALLEST_NORM)


def _squared(x: Tensor) -> Tensor:
    return x.square().sum(-1)
