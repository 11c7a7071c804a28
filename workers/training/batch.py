"""What a loss sees of one training batch."""

from dataclasses import dataclass

from torch import Tensor


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
