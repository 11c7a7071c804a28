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


@dataclass(frozen=True, slots=True)
class Entry:
    """One loss that ``--loss`` can name.

    Attributes:
        name: as written in a specification.
        source: the paper and, after a semicolon, the library.
        build: (dimension of the embedding, number of identities) -> the loss.
    """

    name: str
    source: str
    build: Callable[[int, int], MetricLoss]


_ENTRIES = (
    # Siamese: pairs.
    Entry(
        "contrastive",
        f"Hadsell et al. 2006, CVPR; {_LIBRARY} ContrastiveLoss, squared",
        lambda _d, _c: library.contrastive(),
    ),
    # Triplets.
    Entry(
        "triplet",
        f"Hoffer & Ailon 2015, arXiv 1412.6622; {_LIBRARY} TripletMarginLoss",
        lambda _d, _c: library.triplet(),
    ),
    Entry(
        "triplet-semihard",
        f"Schroff et al. 2015, arXiv 1503.03832; {_LIBRARY} TripletMarginMiner",
        lambda _d, _c: library.triplet_semihard(),
    ),
    Entry(
        "triplet-batch-hard",
        f"Hermans et al. 2017, arXiv 1703.07737; {_LIBRARY} BatchHardMiner",
        lambda _d, _c: library.triplet_batch_hard(),
    ),
    Entry(
        "gs-trs",
        "Bai et al. 2017, arXiv 1703.00196, and 2018, IEEE TMM 20(9)",
        lambda _d, _c: GroupSensitiveTriplet(),
    ),
    # Quadruplets.
    Entry(
        "quadruplet",
        "Chen et al. 2017, arXiv 1704.01719",
        lambda _d, _c: Quadruplet(),
    ),
    Entry("pddm", "Huang et al. 2016, arXiv 1610.08904", lambda d, _c: Pddm(d)),
    # All rows of the batch at once.
    Entry("n-pairs", f"Sohn 2016, NeurIPS; {_LIBRARY} NPairsLoss", lambda _d, _c: library.NPairs()),
    Entry(
        "lifted-structure",
        f"Oh Song et al. 2016, arXiv 1511.06452; {_LIBRARY} LiftedStructureLoss",
        lambda _d, _c: library.lifted_structure(),
    ),
    Entry(
        "histogram",
        f"Ustinova & Lempitsky 2016, arXiv 1611.00822; {_LIBRARY} HistogramLoss",
        lambda _d, _c: library.Histogram(),
    ),
    Entry(
        "multi-similarity",
        f"Wang et al. 2019, arXiv 1904.06627; {_LIBRARY} MultiSimilarityLoss and its miner",
        lambda _d, _c: library.multi_similarity(),
    ),
    Entry(
        "supervised-contrastive",
        f"Khosla et al. 2020, arXiv 2004.11362; {_LIBRARY} SupConLoss",
        lambda _d, _c: library.supervised_contrastive(),
    ),
    Entry("magnet", "Rippel et al. 2016, arXiv 1511.05939", lambda _d, _c: Magnet()),
    Entry("ladder", "Zhou et al. 2020, arXiv 1911.07528", lambda _d, _c: Ladder()),
    Entry(
        "dvml",
        "Lin et al. 2018, ECCV, over multi-similarity",
        lambda d, _c: DeepVariational(d, library.multi_similarity()),
    ),
    # A proxy or centre per identity.
    Entry(
        "normalized-softmax",
        f"Zhai & Wu 2019, arXiv 1811.12649; {_LIBRARY} NormalizedSoftmaxLoss",
        library.normalized_softmax,
    ),
    Entry(
        "arcface",
        f"Deng et al. 2019, arXiv 1801.07698; {_LIBRARY} ArcFaceLoss",
        library.arcface,
    ),
    Entry(
        "subcenter-arcface",
        f"Deng et al. 2020, ECCV; {_LIBRARY} SubCenterArcFaceLoss",
        library.subcenter_arcface,
    ),
    Entry(
        "proxy-anchor",
        f"Kim et al. 2020, arXiv 2003.13911; {_LIBRARY} ProxyAnchorLoss",
        library.proxy_anchor,
    ),
    Entry(
        "center",
        "Wen et al. 2016, ECCV, beside normalized-softmax",
        lambda d, c: Center(d, c, library.normalized_softmax(d, c)),
    ),
)

LOSSES: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
