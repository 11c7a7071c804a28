"""How near strangers come to the gallery of the moment: its thresholds for any FPIR."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from lab.evaluate.scored import nearest_other
from lab.whatif.replay import Replay
from recognition.bootstrap import Interval
from recognition.cluster import EVERYWHERE
from recognition.cluster_tails import ClusterTails
from recognition.paper_distances import Distance, fit_distance
from recognition.tail import Tail, fit_tail
from recognition.threshold import cautious_threshold
from recognition.watch import ImpostorWatch
from streams.conditioning.artefact import Artefact
from streams.conditioning.placed import joined
from streams.index.base import GalleryState, IndexEntry


class Tails:
    """The impostor tails of one model's entries.

    They are what the gallery agent takes its thresholds from: the fitted impostors under a
    conditioning for this model, else the entries of each shard among themselves.
    """

    def __init__(self, replay: Replay, model: str) -> None:
        self._replay, self._model = replay, model
        space = replay.placement.space(model)
        entries = [entry for entry in replay.entries if entry.space == space]
        artefact = replay.placement.artefact
        self._fitted: ClusterTails | None = None
        self._plain: dict[str, Tail] = {}
        if artefact is not None and artefact.model == model:
            self._fitted = _fitted_tails(artefact, entries)
        else:
            self._plain = _plain_tails(entries)

    def state(self, fpir: float) -> GalleryState:
        """Return the gallery's state with the thresholds that keep this FPIR."""
        state, model = self._replay.state, self._model
        if self._fitted is not None:
            thresholds = state.thresholds | {model: self._fitted.named_thresholds(fpir)}
            return state.model_copy(update={"thresholds": thresholds})
        shards = {
            cluster: shard.model_copy(update={"threshold": self._threshold(cluster, fpir)})
            for cluster, shard in state.models.get(model, {}).items()
        }
        return state.model_copy(update={"models": state.models | {model: shards}})

    def interval(self, fpir: float, strangers: int) -> Interval | None:
        """Return within what the FPIR of so many strangers will lie.

        Of plain shards by the tail of all entries together. None where the gallery is too small for
        any threshold: nobody is identified then, so no stranger is.
        """
        if self._fitted is not None:
            return self._fitted.interval(fpir, strangers=strangers)
        threshold = self._threshold(EVERYWHERE, fpir)
        if threshold is None:
            return None
        return self._plain[EVERYWHERE].interval(threshold, strangers=strangers)

    def _threshold(self, cluster: str, fpir: float) -> float | None:
        """Return a plain shard's threshold; below 0 there is no distance, so that is none."""
        tail = self._plain.get(cluster)
        threshold = None if tail is None else cautious_threshold(tail, fpir)
        return None if threshold is None or threshold < 0 else threshold


def _fitted_tails(artefact: Artefact, entries: Sequence[IndexEntry]) -> ClusterTails | None:
    if not entries:
        return None
    watch = ImpostorWatch(artefact.conditioning)
    watch.extend([entry.entry_id for entry in entries], joined(entries))
    return watch.tails()


def _plain_tails(entries: Iterable[IndexEntry]) -> dict[str, Tail]:
    shards: defaultdict[str, list[IndexEntry]] = defaultdict(list)
    for entry in entries:
        shards[entry.cluster].append(entry)
        shards[EVERYWHERE].append(entry)
    tails = {cluster: _plain_tail(members) for cluster, members in shards.items()}
    return {cluster: tail for cluster, tail in tails.items() if tail is not None}


def _plain_tail(entries: Sequence[IndexEntry]) -> Tail | None:
    vectors = np.stack([entry.vector for entry in entries])
    identities = np.array([entry.identity for entry in entries])
    return fit_tail(*nearest_other(fit_distance(Distance.COSINE, vectors), vectors, identities))
