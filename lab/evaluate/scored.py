"""The probes of one trial, looked up in its gallery, and where its thresholds come from."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray
from recognition.evaluation import (
    Float64,
    Identified,
    Labels,
    average_precision,
    identify,
    tpir_at_fpir,
)
from recognition.paper_distances import Compare
from recognition.protocol import Indices, Trial
from recognition.tail import open_set_threshold

_BLOCK = 1024  # probes compared at once: bounds the memory to (_BLOCK, gallery) distances


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What the p probes of a trial found.

    Attributes:
        identified: by the nearest entry.
        precision: (p,) average precision of the whole ranking; NaN for unknown probes.
        rows: (p,) the index of each probe's image.
    """

    identified: Identified
    precision: Float64
    rows: Indices

    def take(self, which: NDArray[np.bool_]) -> "Scored":
        """Return the probes for which the mask is true."""
        return Scored(self.identified.take(which), self.precision[which], self.rows[which])


class NearestOther(NamedTuple):
    """How far the nearest entry of another identity lies (n,), and whose entry asks (n,)."""

    distance: FloatArray
    label: Labels


def score(compare: Compare, embeddings: FloatArray, labels: Labels, trial: Trial) -> Scored:
    """Look up every probe; ``embeddings`` (n, d) and ``labels`` (n,) are those of all images."""
    gallery, names = embeddings[trial.gallery], labels[trial.gallery]
    identified, precision = [], []
    for start in range(0, len(trial.probes), _BLOCK):
        probes = trial.probes[start : start + _BLOCK]
        near = compare(embeddings[probes], gallery)
        identified.append(identify(near, names, labels[probes]))
        precision.append(average_precision(near, names, labels[probes]))
    columns = (
        np.concatenate([getattr(block, field.name) for block in identified])
        for field in fields(Identified)
    )
    return Scored(Identified(*columns), np.concatenate(precision), trial.probes)


def nearest_other(compare: Compare, embeddings: FloatArray, labels: Labels) -> NearestOther:
    """Return the distance of each entry (n, d) to the nearest one of another identity.

    What :class:`recognition.impostors.NearestImpostors` holds, for any distance. Entries that have
    no other identity beside them are left out.
    """
    nearest = [np.empty(0)]
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        near = compare(embeddings[block], embeddings)
        near[labels[block, None] == labels] = np.inf
        nearest.append(near.min(axis=1))
    distance = np.concatenate(nearest).astype(np.float32)
    finite = np.isfinite(distance)
    return NearestOther(distance[finite], labels[finite])


class Rule(StrEnum):
    """Which impostors fix the threshold.

    ``oracle``: those of the test itself, so that the FPIR is met exactly: what the embedding could
    do. ``honest``: those of the calibrate part, other identities: what one would really get.
    ``gallery``: the entries of the test's gallery among themselves, as the stream does it.
    """

    ORACLE = "oracle"
    HONEST = "honest"
    GALLERY = "gallery"


class OperatingTarget(NamedTuple):
    """An FPIR that is asked for, and the rule that shall meet it."""

    fpir: float
    rule: Rule


Thresholds = dict[OperatingTarget, float]
"""NaN where there is nothing to take a threshold from."""


def thresholds_of(
    test: Scored, calibrate: Scored | None, impostors: NearestOther, fpirs: Iterable[float]
) -> Thresholds:
    """Return the thresholds of a trial; ``impostors`` is what the gallery rule goes by."""
    thresholds: Thresholds = {}
    for fpir in fpirs:
        thresholds[OperatingTarget(fpir, Rule.ORACLE)] = tpir_at_fpir(
            test.identified, fpir
        ).threshold
        thresholds[OperatingTarget(fpir, Rule.HONEST)] = (
            np.nan if calibrate is None else tpir_at_fpir(calibrate.identified, fpir).threshold
        )
        of_gallery = open_set_threshold(impostors.distance, impostors.label, fpir)
        thresholds[OperatingTarget(fpir, Rule.GALLERY)] = (
            np.nan if of_gallery is None else of_gallery
        )
    return thresholds
