"""One trial, plain and conditioned: what every probe found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recognition.bootstrap import Interval
from recognition.cluster_tails import fit_cluster_tails
from recognition.conditioning import Conditioning, Placed
from recognition.distance import FloatArray, distances
from recognition.evaluation import (
    Identified,
    OperatingPoint,
    at_threshold,
    identify,
    tpir_at_fpir,
)
from recognition.fit import Sample

FPIRS: Final = (0.05, 0.01)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A trial at an FPIR that is asked for.

    Attributes:
        fpir: what is asked for.
        plain: what was found by the plain distance.
        one: by the distance of a conditioning of one cluster, which knows no background.
        conditioned: by the conditioned distance over the fitted threshold: 1 is that threshold.
        quantile: at the plain distance that this share of the strangers held out lies within.
        fitted: at the fitted thresholds.
        expected: within what the conditioning says that the FPIR will lie.
    """

    fpir: float
    plain: Identified
    one: Identified
    conditioned: Identified
    quantile: OperatingPoint
    fitted: OperatingPoint
    expected: Interval


def ask(
    gallery: Sample,
    probes: Sample,
    strangers: FloatArray,
    conditioning: Conditioning,
    one: Conditioning,
    fpirs: Sequence[float] = FPIRS,
) -> list[Asked]:
    """Look the probes up in the gallery: plain, conditioned, and by ``one`` cluster.

    ``strangers`` (n, d) are the embeddings of the images that the conditioning's fit held out, as
    the model gives them: for the plain system's threshold, which is one quantile of what they find.
    """
    found = _identify(distances(probes.embeddings, gallery.embeddings), gallery, probes)
    entries, placed = (_place(conditioning, sample) for sample in (gallery, probes))
    near = conditioning.distances(placed, entries)
    alone = one.distances(_place(one, probes), _place(one, gallery))
    impostors = conditioning.impostors
    tails = fit_cluster_tails(
        conditioning.distances(impostors.placed, entries).min(axis=1),
        impostors.identities,
        impostors.placed.clusters,
        conditioning.k,
    )
    if tails is None:
        raise ValueError("the identities held out are too few for thresholds")
    plainly = distances(strangers, gallery.embeddings).min(axis=1)
    unknown = len(set(probes.identities.tolist()) - set(gallery.identities.tolist()))
    asked = []
    for fpir in fpirs:
        relative = near / tails.thresholds(fpir).astype(np.float32)[placed.clusters, None]
        conditioned = _identify(relative, gallery, probes)
        asked.append(
            Asked(
                fpir,
                found,
                _identify(alone, gallery, probes),
                conditioned,
                at_threshold(found, float(np.quantile(plainly, fpir))),
                at_threshold(conditioned, 1.0),
                tails.interval(fpir, strangers=unknown),
            )
        )
    return asked


def met(found: Identified, fpir: float) -> float:
    """Return the TPIR at an FPIR that is met on these very probes."""
    return tpir_at_fpir(found, fpir).tpir


def _place(conditioning: Conditioning, sample: Sample) -> Placed:
    return conditioning.place(sample.embeddings, sample.backgrounds)


def _identify(near: FloatArray, gallery: Sample, probes: Sample) -> Identified:
    return identify(near, gallery.identities, probes.identities)
