"""All losses by the name that ``--loss`` gives them.

Each names its paper here, where it is one of pytorch-metric-learning's as it comes; else its class
does. Of the library, what is not set is its default.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor, nn

from schemas.errors import SetupError
from workers.training.losses.base import Batch, MetricLoss
from workers.training.losses.center import Center
from workers.training.losses.dvml import DeepVariational
from workers.training.losses.gs_trs import GroupSensitiveTriplet
from workers.training.losses.ladder import Ladder
from workers.training.losses.library import (
    HadsellContrastive,
    Histogram,
    LibraryPairs,
    LibraryProxies,
    NPairs,
    OpenCosine,
)
from workers.training.losses.magnet import Magnet
from workers.training.losses.pddm import Pddm
from workers.training.losses.quadruplet import Quadruplet

Build = Callable[[int, int], MetricLoss]
"""From the dimension of the embedding and the number of identities to the loss."""

_MARGIN = 0.2  # of triplets: as FaceNet's, though of distances, not squared ones


def _pairs(loss: Callable[[], Any], miner: Callable[[], Any] = lambda: None) -> Build:
    return lambda _dimension, _identities: LibraryPairs(loss(), miner())


def _triplets(miner: Callable[[], Any] = lambda: None) -> Build:
    return _pairs(lambda: losses.TripletMarginLoss(margin=_MARGIN), miner)


def _multi_similarity() -> MetricLoss:
    return LibraryPairs(losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner())


def _normalized_softmax(dimension: int, identities: int) -> MetricLoss:
    return LibraryProxies(losses.NormalizedSoftmaxLoss(identities, dimension))


LOSSES: Mapping[str, Build] = MappingProxyType(
    {
        # Siamese: rows (i, j), margin 1.
        "contrastive": _pairs(HadsellContrastive),
        # Every (anchor, positive, negative) of the batch: Hoffer & Ailon 2015, arXiv 1412.6622.
        "triplet": _triplets(),
        # Those whose negative is farther than the positive, by less than the margin: Schroff et al.
        # 2015, arXiv 1503.03832.
        "triplet-semihard": _triplets(
            lambda: miners.TripletMarginMiner(margin=_MARGIN, type_of_triplets="semihard")
        ),
        # One per anchor: its farthest positive and its nearest negative: Hermans et al. 2017, arXiv
        # 1703.07737.
        "triplet-batch-hard": _triplets(miners.BatchHardMiner),
        "gs-trs": lambda _d, _c: GroupSensitiveTriplet(),
        # Quadruplets.
        "quadruplet": lambda _d, _c: Quadruplet(),
        "pddm": lambda d, _: Pddm(d),
        # All rows of the batch at once.
        "n-pairs": lambda _d, _c: NPairs(),
        # Every positive pair against all negatives of both its rows; memory grows with pairs²: Oh
        # Song et al. 2016, arXiv 1511.06452.
        "lifted-structure": _pairs(losses.LiftedStructureLoss),
        "histogram": lambda _d, _c: Histogram(),
        # Pairs weighted by self- and relative similarity, mined by the same paper's rule: Wang et
        # al. 2019, arXiv 1904.06627.
        "multi-similarity": lambda _d, _c: _multi_similarity(),
        # Softmax over all other rows, with several positives, at temperature 0.1: Khosla et al.
        # 2020, arXiv 2004.11362.
        "supervised-contrastive": _pairs(losses.SupConLoss),
        "magnet": lambda _d, _c: Magnet(),
        "ladder": lambda _d, _c: Ladder(),
        "dvml": lambda d, _: DeepVariational(d, _multi_similarity()),
        # A proxy or centre per identity. Softmax of cosines to one weight per identity, at
        # temperature 0.05: Zhai & Wu 2019, arXiv 1811.12649.
        "normalized-softmax": _normalized_softmax,
        # With an additive angular margin of 28.6 degrees, at scale 64: Deng et al. 2019, arXiv
        # 1801.07698.
        "arcface": lambda d, c: LibraryProxies(losses.ArcFaceLoss(c, d, distance=OpenCosine())),
        # With three centres per identity, of which the nearest counts: Deng et al. 2020, ECCV.
        "subcenter-arcface": lambda d, c: LibraryProxies(
            losses.SubCenterArcFaceLoss(num_classes=c, embedding_size=d, distance=OpenCosine())
        ),
        # Proxies as anchors against the whole batch: Kim et al. 2020, arXiv 2003.13911.
        "proxy-anchor": lambda d, c: LibraryProxies(losses.ProxyAnchorLoss(c, d)),
        "center": lambda d, c: Center(d, c, _normalized_softmax(d, c)),
    }
)


class WeightedSum(MetricLoss):
    """Several losses of one batch, each times its weight."""

    def __init__(self, terms: dict[str, tuple[float, MetricLoss]]) -> None:
        super().__init__()
        self.weights = {name: weight for name, (weight, _) in terms.items()}
        self.terms = nn.ModuleDict({name: loss for name, (_, loss) in terms.items()})

    def forward(self, batch: Batch) -> Tensor:
        """Return the weighted sum."""
        return torch.stack(
            [self.weights[name] * loss(batch) for name, loss in self.terms.items()]
        ).sum()


def build_loss(spec: str, dimension: int, classes: int) -> MetricLoss:
    """Build the loss that a specification names, for (n, dimension) embeddings of the classes.

    Terms are joined by ``+``; a term is a name of ``LOSSES``, or ``weight*name``.

    Raises:
        SetupError: an unknown name, a weight that is no positive number, or a name given twice.
    """
    terms = parse_loss(spec)
    return WeightedSum(
        {name: (weight, LOSSES[name](dimension, classes)) for name, weight in terms.items()}
    )


def parse_loss(spec: str) -> dict[str, float]:
    """Return the weight of each loss that a specification names, in its order.

    >>> parse_loss("0.5*triplet + arcface")
    {'triplet': 0.5, 'arcface': 1.0}
    """
    weights: dict[str, float] = {}
    for term in spec.split("+"):
        weight, star, name = (part.strip() for part in term.rpartition("*"))
        if name not in LOSSES:
            raise SetupError(f"no loss {name!r} in {spec!r}; known: {', '.join(sorted(LOSSES))}")
        if name in weights:
            raise SetupError(f"loss {name!r} is named twice in {spec!r}")
        weights[name] = _weight(weight, spec) if star else 1.0
    return weights


def _weight(text: str, spec: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise SetupError(f"weight {text!r} in loss {spec!r} is no positive number, such as 0.5")
    return weight
