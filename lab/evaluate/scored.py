"""The probes of one trial, looked up in its gallery."""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray
from recognition.evaluation import Float64, Identified, Labels, average_precision, identify
from recognition.paper_distances import Compare
from recognition.protocol import Indices, Trial

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
