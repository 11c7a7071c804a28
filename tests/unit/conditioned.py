"""A conditioning made by hand: light by day, dusk and night, and a camera that weighs more."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recognition.background import Encoder
from recognition.calibration import Calibration
from recognition.clusters import Clusters
from recognition.conditioning import Cohort, Conditioning, Impostors, Placed
from recognition.statistics import Statistics
from recognition.variable import Kind, Variable
from schemas.conditioning import ArtefactRef
from schemas.metrics import Metrics
from streams.conditioning.artefact import Artefact
from streams.conditioning.placement import Placement, Placements
from streams.index.base import GalleryState, IndexEntry
from tests.gallery_entries import MODEL
from tests.index_entries import entry

SIZE = 4
DAY = {"light": "day", "camera": "a"}
DUSK = {"light": "dusk", "camera": "b"}
NIGHT = {"light": "night", "camera": "a"}
LIGHT_ONLY = {"light": "night"}
"""A quarter of the weight: the cluster is night, but it is not to be relied on."""

FLAT = ((1.0,) * 3,) * 3


def clusters(spread: float = 0.1) -> Clusters:
    """Return day, dusk and night as c0, c1 and c2; the larger the spread, the less sure."""
    encoder = Encoder(
        (
            Variable("light", Kind.NOMINAL, ("day", "dusk", "night")),
            Variable("camera", Kind.NOMINAL, ("a", "b"), weight=3.0),
        )
    )
    either = np.full((3, 2), np.sqrt(3) / 2)
    centres = np.concatenate([np.eye(3), either], axis=1)
    return Clusters(encoder, centres, spread, np.array([3, 2, 1]), ("day", "dusk", "night"))


def statistics_of(means: ArrayLike) -> Statistics:
    """Return statistics that take these means out."""
    mean = np.asarray(means, np.float32)
    k, d = mean.shape
    ones = np.ones((k, d), np.float32)
    centre = np.zeros(d, np.float32)
    return Statistics(mean, ones, np.full(k, 100), centre, ones[0])


def artefact(
    version: str = "v1",
    *,
    levels: ArrayLike = FLAT,
    statistics: Statistics | None = None,
    cohort: Cohort | None = None,
    spread: float = 0.1,
    calibration: Calibration | None = None,
) -> Artefact:
    """Return an artefact for ``MODEL``."""
    return Artefact(
        name="test",
        version=version,
        model=MODEL,
        fpir=0.05,
        conditioning=Conditioning(
            clusters(spread), statistics, cohort, np.asarray(levels, np.float64), _impostors()
        ),
        about={},
        calibration=calibration,
    )


def _impostors() -> Impostors:
    vectors = np.eye(SIZE, dtype=np.float32)
    placed = Placed(vectors, np.ones(SIZE, np.float32), np.zeros(SIZE, np.intp))
    return Impostors(placed, np.array(list("abcd")))


class Given(Placements):
    """Places by the artefact that it was given last, whatever the state says; None is plain."""

    def __init__(self, given: Artefact | None) -> None:
        super().__init__()
        self.given = given

    async def of(self, state: GalleryState) -> Placement:  # noqa: ARG002  it was told already
        return Placement(artefact=self.given)


def active(version: str = "v1", uri: str = "file:///nowhere") -> ArtefactRef:
    """Return what the state says of the artefact."""
    return ArtefactRef(name="test", version=version, uri=uri, model=MODEL)


def placed(
    entry_id: str,
    identity: str,
    vector: Any,
    cluster: str = "c0",
    scale: float = 1.0,
    version: str = "v1",
) -> IndexEntry:
    """Return an entry of the fitted space."""
    return entry(entry_id, identity, vector, cluster, f"{MODEL}+{version}", scale)


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return the value of a metric, None where it does not exist."""
    return metrics.registry.get_sample_value(name, labels)
