"""An embedding as it is compared, in the cluster that its background tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.cluster import Cluster, cluster_number
from recognition.conditioning import Placed
from schemas.event import FloatVector
from streams.index.base import IndexEntry


@dataclass(frozen=True, slots=True, eq=False)
class PlacedEmbedding:
    """Where one embedding lies: its cluster, its unit vector and its local scale there.

    ``sure`` says whether its background tells the cluster well enough to search there first.
    """

    cluster: Cluster
    vector: FloatVector
    scale: float = 1.0
    sure: bool = True


def joined(placed: Sequence[PlacedEmbedding] | Sequence[IndexEntry]) -> Placed:
    """Return what lies in a fitted space as the method takes it; there must be one."""
    return Placed(
        np.stack([embedding.vector for embedding in placed]),
        np.array([embedding.scale for embedding in placed], np.float32),
        np.array([cluster_number(embedding.cluster) for embedding in placed], np.intp),
    )
