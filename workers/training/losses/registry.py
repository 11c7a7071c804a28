"""All losses by the name that ``--loss`` gives them; each one's paper is in its docstring."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workers.training.losses import library
from workers.training.losses.base import MetricLoss
from workers.training.losses.center import Center
from workers.training.losses.dvml import DeepVariational
from workers.training.losses.gs_trs import GroupSensitiveTriplet
from workers.training.losses.ladder import Ladder
from workers.training.losses.magnet import Magnet
from workers.training.losses.pddm import Pddm
from workers.training.losses.quadruplet import Quadruplet

Build = Callable[[int, int], MetricLoss]
"""From the dimension of the embedding and the number of identities to the loss."""


def _plain(build: Callable[[], MetricLoss]) -> Build:
    """Build a loss that depends neither on the dimension nor on the identities."""
    return lambda _dimension, _identities: build()


LOSSES: Mapping[str, Build] = MappingProxyType(
    {
        # Siamese: pairs.
        "contrastive": _plain(library.contrastive),
        # Triplets.
        "triplet": _plain(library.triplet),
        "triplet-semihard": _plain(library.triplet_semihard),
        "triplet-batch-hard": _plain(library.triplet_batch_hard),
        "gs-trs": _plain(GroupSensitiveTriplet),
        # Quadruplets.
        "quadruplet": _plain(Quadruplet),
        "pddm": lambda d, _: Pddm(d),
        # All rows of the batch at once.
        "n-pairs": _plain(library.NPairs),
        "lifted-structure": _plain(library.lifted_structure),
        "histogram": _plain(library.Histogram),
        "multi-similarity": _plain(library.multi_similarity),
        "supervised-contrastive": _plain(library.supervised_contrastive),
        "magnet": _plain(Magnet),
        "ladder": _plain(Ladder),
        "dvml": lambda d, _: DeepVariational(d, library.multi_similarity()),
        # A proxy or centre per identity.
        "normalized-softmax": library.normalized_softmax,
        "arcface": library.arcface,
        "subcenter-arcface": library.subcenter_arcface,
        "proxy-anchor": library.proxy_anchor,
        "center": lambda d, c: Center(d, c, library.normalized_softmax(d, c)),
    }
)
