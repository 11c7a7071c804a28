"""All losses by name, each with the paper, and the library where it is not our own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

_LIBRARY = "pytorch-metric-learning"

Build = Callable[[int, int], MetricLoss]


@dataclass(frozen=True, slots=True)
class Entry:
    """One loss that ``--loss`` can name.

    Attributes:
        name: as written in a specification.
        build: (dimension of the embedding, number of identities) -> the loss.
        paper: where it comes from.
        part: of pytorch-metric-learning that it is, where it is not our own.
    """

    name: str
    build: Build
    paper: str
    part: str = ""

    @property
    def source(self) -> str:
        """The paper and, after a semicolon, the library."""
        return f"{self.paper}; {_LIBRARY} {self.part}" if self.part else self.paper


def _plain(build: Callable[[], MetricLoss]) -> Build:
    """Build a loss that depends neither on the dimension nor on the identities."""
    return lambda _dimension, _identities: build()


_ENTRIES = (
    # Siamese: pairs.
    Entry(
        "contrastive",
        _plain(library.contrastive),
        "Hadsell et al. 2006, CVPR",
        "ContrastiveLoss, squared",
    ),
    # Triplets.
    Entry(
        "triplet",
        _plain(library.triplet),
        "Hoffer & Ailon 2015, arXiv 1412.6622",
        "TripletMarginLoss",
    ),
    Entry(
        "triplet-semihard",
        _plain(library.triplet_semihard),
        "Schroff et al. 2015, arXiv 1503.03832",
        "TripletMarginMiner",
    ),
    Entry(
        "triplet-batch-hard",
        _plain(library.triplet_batch_hard),
        "Hermans et al. 2017, arXiv 1703.07737",
        "BatchHardMiner",
    ),
    Entry(
        "gs-trs",
        _plain(GroupSensitiveTriplet),
        "Bai et al. 2017, arXiv 1703.00196, and 2018, IEEE TMM 20(9)",
    ),
    # Quadruplets.
    Entry("quadruplet", _plain(Quadruplet), "Chen et al. 2017, arXiv 1704.01719"),
    Entry("pddm", lambda d, _: Pddm(d), "Huang et al. 2016, arXiv 1610.08904"),
    # All rows of the batch at once.
    Entry("n-pairs", _plain(library.NPairs), "Sohn 2016, NeurIPS", "NPairsLoss"),
    Entry(
        "lifted-structure",
        _plain(library.lifted_structure),
        "Oh Song et al. 2016, arXiv 1511.06452",
        "LiftedStructureLoss",
    ),
    Entry(
        "histogram",
        _plain(library.Histogram),
        "Ustinova & Lempitsky 2016, arXiv 1611.00822",
        "HistogramLoss",
    ),
    Entry(
        "multi-similarity",
        _plain(library.multi_similarity),
        "Wang et al. 2019, arXiv 1904.06627",
        "MultiSimilarityLoss and its miner",
    ),
    Entry(
        "supervised-contrastive",
        _plain(library.supervised_contrastive),
        "Khosla et al. 2020, arXiv 2004.11362",
        "SupConLoss",
    ),
    Entry("magnet", _plain(Magnet), "Rippel et al. 2016, arXiv 1511.05939"),
    Entry("ladder", _plain(Ladder), "Zhou et al. 2020, arXiv 1911.07528"),
    Entry(
        "dvml",
        lambda d, _: DeepVariational(d, library.multi_similarity()),
        "Lin et al. 2018, ECCV, over multi-similarity",
    ),
    # A proxy or centre per identity.
    Entry(
        "normalized-softmax",
        library.normalized_softmax,
        "Zhai & Wu 2019, arXiv 1811.12649",
        "NormalizedSoftmaxLoss",
    ),
    Entry("arcface", library.arcface, "Deng et al. 2019, arXiv 1801.07698", "ArcFaceLoss"),
    Entry(
        "subcenter-arcface",
        library.subcenter_arcface,
        "Deng et al. 2020, ECCV",
        "SubCenterArcFaceLoss",
    ),
    Entry(
        "proxy-anchor", library.proxy_anchor, "Kim et al. 2020, arXiv 2003.13911", "ProxyAnchorLoss"
    ),
    Entry(
        "center",
        lambda d, c: Center(d, c, library.normalized_softmax(d, c)),
        "Wen et al. 2016, ECCV, beside normalized-softmax",
    ),
)

LOSSES: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
