"""A conditioning taken apart, into what a page can say and plain arrays, and put together again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from recognition.background import Encoder
from recognition.calibration import Calibration
from recognition.cluster import NO_CLUSTER, cluster_name
from recognition.clusters import Clusters
from recognition.conditioning import Cohort, Conditioning, Impostors, Placed
from recognition.statistics import Statistics

VERSION_DIGITS = 12
UNVERSIONED = "-"
"""The version of a page before there is one."""

_DECIDING = {"format", "model", "fpir", "spread", "encoder", "calibration"}

Arrays = Mapping[str, NDArray[Any]]

_NEEDED = {
    "centres": "<f8",
    "levels": "<f8",
    "impostor_vectors": "<f4",
    "impostor_scales": "<f4",
    "impostor_clusters": "<i4",
    "impostor_owners": "<i4",
}
_STATISTICS = {
    "mean": "<f4",
    "scale": "<f4",
    "counts": "<i8",
    "global_mean": "<f4",
    "global_scale": "<f4",
}
_COHORT = {"cohort": "<f4"}
_UNIT = 1e-3  # how far from 1 the norm of a stored vector may be


class ClusterPage(BaseModel):
    """One cluster in plain words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size: int = Field(ge=0, description="Images of the fit that belong to it")
    description: str


class CalibrationPage(BaseModel):
    """The calibration, as points of evidence and probability."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    weight: float
    points: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, calibration: Calibration) -> Self:
        """Take a calibration apart."""
        points = zip(calibration.evidence.tolist(), calibration.probability.tolist(), strict=True)
        return cls(weight=calibration.weight, points=tuple(points))

    def assemble(self) -> Calibration:
        """Put it together; ValueError where it is none."""
        points = np.array(self.points, np.float64).reshape(-1, 2)
        return Calibration(self.weight, points[:, 0], points[:, 1])


class Page(BaseModel):
    """``conditioning.json``: what the artefact is."""

    # What is given is checked anew, and so digested as it will be read: 1 becomes 1.0.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, revalidate_instances="always"
    )

    format: Literal[1] = 1
    name: str = Field(min_length=1)
    version: str
    model: str = Field(min_length=1)
    fpir: float = Field(gt=0, lt=1)
    created_at: AwareDatetime
    clusters: tuple[ClusterPage, ...] = Field(min_length=1)
    spread: float = Field(gt=0)
    encoder: Encoder
    calibration: CalibrationPage | None = None
    about: dict[str, Any]


def take_apart(conditioning: Conditioning) -> tuple[dict[str, Any], Arrays]:
    """Return what a :class:`Page` says of the conditioning, and its arrays."""
    clusters, impostors = conditioning.clusters, conditioning.impostors
    page = {
        "clusters": [
            {"name": cluster_name(number), "size": int(size), "description": description}
            for number, (size, description) in enumerate(
                zip(clusters.sizes, clusters.descriptions, strict=True)
            )
        ],
        "spread": clusters.spread,
        "encoder": clusters.encoder,
    }
    arrays: dict[str, NDArray[Any]] = {
        "centres": clusters.centres,
        "levels": conditioning.levels,
        "impostor_vectors": impostors.placed.vectors,
        "impostor_scales": impostors.placed.scales,
        "impostor_clusters": impostors.placed.clusters,
        "impostor_owners": _owners(impostors.identities),
    }
    kinds = dict(_NEEDED)
    if conditioning.statistics is not None:
        arrays |= {name: getattr(conditioning.statistics, name) for name in _STATISTICS}
        kinds |= _STATISTICS
    if conditioning.cohort is not None:
        arrays |= {"cohort": conditioning.cohort.vectors}
        kinds |= _COHORT
    return page, {name: np.ascontiguousarray(arrays[name], kinds[name]) for name in arrays}


def assemble(page: Page, arrays: Arrays) -> Conditioning:
    """Put a conditioning together.

    Raises:
        ValueError: an array is missing, too many, or not what its name promises.
    """
    _check(arrays)
    sizes = np.array([cluster.size for cluster in page.clusters], np.intp)
    descriptions = tuple(cluster.description for cluster in page.clusters)
    clusters = Clusters(page.encoder, arrays["centres"], page.spread, sizes, descriptions)
    statistics = (
        Statistics(**{name: arrays[name] for name in _STATISTICS}) if "mean" in arrays else None
    )
    placed = Placed(
        arrays["impostor_vectors"],
        arrays["impostor_scales"],
        arrays["impostor_clusters"].astype(np.intp),
    )
    conditioning = Conditioning(
        clusters=clusters,
        statistics=statistics,
        cohort=Cohort(arrays["cohort"]) if "cohort" in arrays else None,
        levels=arrays["levels"],
        impostors=Impostors(placed, arrays["impostor_owners"].astype(np.str_)),
    )
    _check_sizes(conditioning)
    return conditioning


def digest(page: Page, arrays: Arrays) -> str:
    """Return the version: a digest of all that decides answers, and of nothing else."""
    digested = hashlib.sha256(
        json.dumps(page.model_dump(include=_DECIDING), sort_keys=True).encode()
    )
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digested.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digested.update(array.tobytes())
    return digested.hexdigest()[:VERSION_DIGITS]


def _owners(identities: NDArray[np.str_]) -> NDArray[np.intp]:
    """Number the identities in the order in which they come."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in identities], np.intp)


def _check(arrays: Arrays) -> None:
    wanted = dict(_NEEDED)
    for optional in (_STATISTICS, _COHORT):
        wanted |= optional if optional.keys() & arrays.keys() else {}
    for name in sorted(wanted.keys() ^ arrays.keys()):
        raise ValueError(f"{name}: {'missing' if name in wanted else 'unknown'}")
    for name, array in arrays.items():
        if array.dtype.str != wanted[name]:
            raise ValueError(f"{name}: expected numbers {wanted[name]}, got {array.dtype.str}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: must be finite")


def _check_sizes(conditioning: Conditioning) -> None:
    """Check the shapes against each other, and the ranges that no class of ours checks."""
    placed, k = conditioning.impostors.placed, conditioning.k
    n, d = placed.vectors.shape if placed.vectors.ndim == 2 else (0, 0)
    fits = {
        "impostor_vectors": d > 0 and _are_unit(placed.vectors),
        "impostor_scales": placed.scales.shape == (n,) and bool((placed.scales > 0).all()),
        "impostor_clusters": placed.clusters.shape == (n,) and _are_clusters(placed.clusters, k),
        "impostor_owners": conditioning.impostors.identities.shape == (n,),
        "levels": conditioning.levels.shape == (k, k) and bool((conditioning.levels > 0).all()),
        "mean": conditioning.statistics is None or conditioning.statistics.mean.shape == (k, d),
        "cohort": conditioning.cohort is None
        or (conditioning.cohort.vectors.shape[1] == d and _are_unit(conditioning.cohort.vectors)),
    }
    for name in (name for name, fit in fits.items() if not fit):
        raise ValueError(f"{name}: does not fit the other arrays, or is out of range")


def _are_unit(vectors: NDArray[np.float32]) -> bool:
    norms = np.linalg.norm(vectors, axis=1)
    return bool((np.abs(norms - 1) < _UNIT).all())


def _are_clusters(clusters: NDArray[np.intp], k: int) -> bool:
    return bool(((clusters >= NO_CLUSTER) & (clusters < k)).all())
