"""The FPIR that the gallery itself speaks for, beside the one that was asked for."""

import numpy as np

from recognition.cluster import EVERYWHERE
from recognition.cohort import spaced
from recognition.conditioning import conditioned
from recognition.tail import weighted_mean
from streams.conditioning.placed import joined
from streams.gallery.placed_gallery import PlacedGallery
from streams.index.base import GalleryState

SAMPLE = 200
"""How many entries play the stranger: each is compared with all."""


def believed_fpir(gallery: PlacedGallery, state: GalleryState) -> float | None:
    """Return the share of entries that would be identified if their identity were not enrolled.

    Of entries under the conditioning, at the thresholds of their cluster; each identity weighs the
    same. Where it leaves what was asked for, the strangers of the fit no longer stand for those who
    come. None without a conditioning, or where no entry of another identity is there to be found.
    """
    artefact = gallery.placement.artefact
    if artefact is None:
        return None
    thresholds = state.thresholds.get(artefact.model, {})
    space = gallery.placement.space(artefact.model)
    entries = [entry for entry in gallery.entries() if entry.space == space]
    if EVERYWHERE not in thresholds or len({entry.identity for entry in entries}) < 2:
        return None
    everyone = joined(entries)
    sample = spaced(len(entries), SAMPLE)
    near = conditioned(everyone.take(sample), everyone, artefact.conditioning.levels)
    identities = np.array([entry.identity for entry in entries])
    near[identities[sample, None] == identities] = np.inf
    tau = [thresholds.get(entries[i].cluster, thresholds[EVERYWHERE]) for i in sample]
    return weighted_mean(near.min(axis=1) <= np.array(tau), identities[sample])
