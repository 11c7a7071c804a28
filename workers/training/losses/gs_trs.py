"""Group-sensitive triplets: identities apart, and inside an identity its groups apart."""

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


class GroupSensitiveTriplet(PairLoss):
    """Mean-valued triplets between and inside identities (GS-TRS, Bai et al.).

    "Incorporating intra-class variance to fine-grained visual recognition", ICME 2017, arXiv
    1703.00196; extended in "Group-sensitive triplet embedding for vehicle reidentification", IEEE
    Transactions on Multimedia 20(9), 2018. ``ω·L_inter + (1 - ω)·L_intra``, and both are

    ``[‖x - c‖² - ‖x* - c‖² + α]₊``, with c the mean of a set, x in it, x* the nearest outside it:

    L_inter's sets are the identities; L_intra's are an identity's groups, and outside are the rest
    of that identity. So groups keep apart by a small margin, and an identity need not be squeezed
    into one point across all its backgrounds. A set needs two images, as a triplet needs an anchor
    and a positive.

    In the paper the groups come from k-means on features; here they are the groups of background.
    """

    def __init__(
        self, margin: float = 0.4, group_margin: float = 0.1, identity_weight: float = 0.8
    ) -> None:
        super().__init__()
        self.margin = margin
        self.group_margin = group_margin
        self.identity_weight = identity_weight

    def compare(self, batch: Batch) -> Tensor:
        """Return the weighted sum of the two terms, each a mean over its triplets."""
        x, labels = batch.embeddings, batch.labels
        _, identities = sets_of(labels, labels)
        owner, groups = sets_of(labels, batch.groups)
        rest_of_identity = (owner[:, None] == labels) & ~groups
        between = mean_triplets(x, identities, ~identities, self.margin)
        within = mean_triplets(x, groups, rest_of_identity, self.group_margin)
        return self.identity_weight * between + (1 - self.identity_weight) * within


def mean_triplets(x: Tensor, inside: Tensor, outside: Tensor, margin: float) -> Tensor:
    """Return the mean hinge of (mean of the set, one inside, nearest outside).

    x is (n, d), ``inside`` and ``outside`` are (m, n) bool; sets of one, and sets with nothing
    outside, have no triplet.
    """
    distances = squared_distances(means_of(x, inside), x)
    nearest_outside = distances.masked_fill(~outside, inf).amin(1, keepdim=True)
    usable = (inside.sum(1) > 1) & outside.any(1)
    return mean_where(relu(distances - nearest_outside + margin), inside & usable[:, None])
