"""What the gallery agent tells Prometheus."""

import numpy as np

from recognition.cluster import EVERYWHERE
from recognition.conditioning import conditioned, spaced
from recognition.tail import weighted_mean
from schemas.conditioning import ArtefactRef
from schemas.metrics import Metrics
from streams.conditioning.placed import joined
from streams.gallery.holdings import Holdings
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


class GalleryGauges:
    """Sets the gauges of the gallery."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._version: str | None = None

    def __call__(self, holdings: Holdings, written: GalleryState | None) -> None:
        """Tell what is held, and what the index that was written says."""
        self._metrics.gallery_entries.clear()
        for (cluster, status), count in holdings.placed.counts.items():
            if count:
                self._metrics.gallery_entries.labels(cluster, status).set(count)
        self._metrics.fpir_asked.set(holdings.placed.fpir)
        self._metrics.threshold.clear()
        if written is not None:
            for cluster, threshold in _thresholds(written).items():
                self._metrics.threshold.labels(cluster).set(threshold)
            self._tell_version(written.conditioning)

    def tell_belief(self, fpir: float | None) -> None:
        """Tell the FPIR that the gallery speaks for; None takes it back."""
        if fpir is None:
            self._metrics.fpir_believed.clear()
        else:
            self._metrics.fpir_believed.labels("gallery").set(fpir)

    def _tell_version(self, active: ArtefactRef | None) -> None:
        version = None if active is None else active.version
        if self._version not in (None, version):
            self._metrics.version.remove("conditioning", self._version)
        if version is not None:
            self._metrics.version.labels("conditioning", version).set(1)
        self._version = version


def _thresholds(written: GalleryState) -> dict[str, float]:
    """Return them by cluster: of the shard where it has one, of its probes under a conditioning."""
    thresholds = {
        cluster: shard.threshold
        for shards in written.models.values()
        for cluster, shard in shards.items()
        if shard.threshold is not None
    }
    for of_probes in written.thresholds.values():
        thresholds |= of_probes
    thresholds.pop(EVERYWHERE, None)
    return thresholds
