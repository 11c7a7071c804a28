"""Which rows of a batch are paired with which, and how far apart they lie.

A Siamese network is two copies of one encoder with shared weights, a triplet network three, a
quadruplet network four. Shared weights mean one encoder, so each image of the batch passes it once,
and the *arrangement* is nothing but indices into the rows: a Siamese loss reads rows (i, j), a
triplet loss (anchor, positive, negative), a quadruplet loss (anchor, positive, negative, a further
negative). The functions here yield those indices, as masks.
"""

import torch
from torch import Tensor


def positives(labels: Tensor) -> Tensor:
    """Return (n, n) bool: row and column are two different images of one identity."""
    return (labels[:, None] == labels).fill_diagonal_(0)


def negatives(labels: Tensor) -> Tensor:
    """Return (n, n) bool: row and column are of different identities."""
    return labels[:, None] != labels


def has_pairs(labels: Tensor) -> bool:
    """Tell whether the batch holds at least one positive and one negative pair."""
    _, counts = torch.unique(labels, return_counts=True)
    return len(counts) > 1 and bool((counts > 1).any())


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return ‖x - y‖² of all pairs: (n, d), (m, d) -> (n, m); 0 and without slope where equal."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()


def sets_of(labels: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sets of rows that share identity and group.

    Returns:
        (m,) the identity of each set, and (m, n) bool, the rows in it.
    """
    keys, owner = torch.unique(torch.stack([labels, groups], 1), dim=0, return_inverse=True)
    return keys[:, 0], owner == torch.arange(len(keys), device=labels.device)[:, None]


def means_of(x: Tensor, inside: Tensor) -> Tensor:
    """Return the mean of each set of rows: (n, d), (m, n) bool -> (m, d)."""
    return inside.to(x) @ x / inside.sum(1, keepdim=True)


def mean_where(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the values where chosen; 0, with a graph, where nothing is."""
    return values[chosen].sum() / chosen.sum().clamp(min=1)
