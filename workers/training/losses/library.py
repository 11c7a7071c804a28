"""Losses of pytorch-metric-learning, as a :class:`MetricLoss`.

It normalises embeddings itself, so unit-norm ones pass unchanged.
"""

from pytorch_metric_learning import distances, losses, regularizers
from torch import Tensor, nn

from workers.training.losses.base import Batch, MetricLoss, PairLoss, negatives, positives


class LibraryPairs(PairLoss):
    """A library loss that compares pairs or triplets of rows, all of them or those mined."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None = None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def compare(self, batch: Batch) -> Tensor:
        """Return the library's loss of the batch."""
        mined = None if self.miner is None else self.miner(batch.embeddings, batch.labels)
        value: Tensor = self.loss(batch.embeddings, batch.labels, mined)
        return value


class LibraryProxies(MetricLoss):
    """A library loss that compares rows with a learned proxy per identity; any batch will do."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, batch: Batch) -> Tensor:
        """Return the library's loss of the batch."""
        value: Tensor = self.loss(batch.embeddings, batch.labels)
        return value


class HadsellContrastive(losses.ContrastiveLoss):  # type: ignore[misc]  # untyped library
    """The library's contrastive loss with the paper's squares and halves.

    Hadsell et al. 2006, Eq. 4: ``½d²`` of a positive and ``½[m - d]₊²`` of a negative pair, where
    the library has d and ``[m - d]₊``. Its mean runs over the pairs that are not at zero already.
    """

    def pos_calc(self, distance: Tensor, margin: float) -> Tensor:
        """Return ½[d - m]₊² of the positive pairs; m = 0."""
        return (distance - margin).relu().square() / 2

    def neg_calc(self, distance: Tensor, margin: float) -> Tensor:
        """Return ½[m - d]₊² of the negative pairs."""
        return (margin - distance).relu().square() / 2


class OpenCosine(distances.CosineSimilarity):  # type: ignore[misc]  # untyped library
    """Cosine kept strictly inside (-1, 1), where the slope of arccos is finite."""

    def compute_mat(self, query_emb: Tensor, ref_emb: Tensor) -> Tensor:
        """Return the clamped cosines, (n, m)."""
        cosines: Tensor = super().compute_mat(query_emb, ref_emb)
        return _opened(cosines)


class Histogram(PairLoss):
    """Chance that a negative pair is as similar as a positive one, from histograms of 100 bins.

    Ustinova & Lempitsky 2016, arXiv 1611.00822. The densities are the library's. Its choice of
    pairs is not used: it lists every triplet in Python, and indexes by a list of lists, which torch
    deprecates. The paper takes all pairs of the batch, and so does this.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = losses.HistogramLoss(n_bins=100)

    def compare(self, batch: Batch) -> Tensor:
        """Return the overlap of the two densities."""
        cosines = _opened(batch.embeddings @ batch.embeddings.T)  # 1 would fall past the last bin
        positive: Tensor = self.loss.compute_density(cosines[positives(batch.labels)])
        negative: Tensor = self.loss.compute_density(cosines[negatives(batch.labels)])
        return (negative * positive.cumsum(0)).sum()


class NPairs(PairLoss):
    """N-pair loss on the head's raw output, as its softmax of dot products needs their length.

    Sohn 2016: one positive pair per identity, all others' positives as negatives, and the squared
    norm as a penalty, 0.02 times its mean.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = losses.NPairsLoss(
            distance=distances.DotProductSimilarity(normalize_embeddings=False),
            embedding_regularizer=regularizers.LpRegularizer(power=2),
            embedding_reg_weight=0.02,
        )

    def compare(self, batch: Batch) -> Tensor:
        """Return the library's loss of the raw output."""
        value: Tensor = self.loss(batch.raw, batch.labels)
        return value


def _opened(cosines: Tensor) -> Tensor:
    return cosines.clamp(-1 + 1e-6, 1 - 1e-6)
