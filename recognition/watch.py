"""What the strangers of a conditioning would find in the gallery of the moment."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.cluster import Cluster
from recognition.cluster_tails import ClusterTails, fit_cluster_tails
from recognition.conditioning import Conditioning, Indices, Placed

_BLOCK = 1024  # entries compared at once: bounds the memory to (impostors, _BLOCK) distances


class ImpostorWatch:
    """For every impostor of a conditioning the nearest entry, as entries come and go.

    The impostors are not in the gallery: whatever they find is a false positive. Their distances
    are taken over the gallery as it is, so the thresholds follow its size and who is in it.

    Adding costs O(impostors·d). Removing costs O(entries·d) for each impostor whose nearest entry
    was removed.

    Attributes:
        nearest: each impostor's distance to its nearest entry (n,), infinite without entries.
    """

    def __init__(self, conditioning: Conditioning) -> None:
        self._conditioning = conditioning
        self._impostors = conditioning.impostors.placed
        self._entries: dict[str, Placed] = {}
        self.nearest = np.full(len(self._impostors), np.inf, np.float32)
        self._nearest_id: NDArray[np.object_] = np.full(len(self._impostors), None, dtype=object)

    def __len__(self) -> int:
        return len(self._entries)

    def extend(self, entry_ids: Sequence[str], entries: Placed) -> None:
        """Add n placed entries, in place of those that have these ids; at once is faster."""
        if not len(set(entry_ids)) == len(entry_ids) == len(entries):
            raise ValueError(f"expected {len(entries)} different ids, got {len(entry_ids)}")
        self.discard([entry_id for entry_id in entry_ids if entry_id in self._entries])
        for row, entry_id in enumerate(entry_ids):
            self._entries[entry_id] = entries.take(np.array([row]))
        self._compare(np.arange(len(self._impostors)), entry_ids, entries)

    def discard(self, entry_ids: Collection[str]) -> None:
        """Remove entries, at once; KeyError, and none removed, when one of these ids is unknown."""
        gone = set(entry_ids)
        if not gone:
            return
        if strange := gone - self._entries.keys():
            raise KeyError(*sorted(strange))
        for entry_id in gone:
            del self._entries[entry_id]
        bereft = np.array([at in gone for at in self._nearest_id], dtype=np.bool_).nonzero()[0]
        self.nearest[bereft], self._nearest_id[bereft] = np.inf, None
        if bereft.size and self._entries:
            self._compare(bereft, list(self._entries), self._joined())

    def tails(self) -> ClusterTails | None:
        """Return how near the impostors come to the gallery of the moment.

        None while it is empty, or without two impostors of different distances.
        """
        if not self._entries:
            return None
        return fit_cluster_tails(
            self.nearest,
            self._conditioning.impostors.identities,
            self._impostors.clusters,
            self._conditioning.k,
        )

    def thresholds(self, target_fpir: float) -> Mapping[Cluster, float]:
        """Return τ by probe cluster, for probes of none under ``EVERYWHERE``.

        Empty where there are no :meth:`tails`.
        """
        tails = self.tails()
        return {} if tails is None else tails.named_thresholds(target_fpir)

    def _compare(self, impostors: Indices, entry_ids: Sequence[str], entries: Placed) -> None:
        """Let these impostors see these entries."""
        who = self._impostors.take(impostors)
        for start in range(0, len(entries), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(entries)))
            distances = self._conditioning.distances(who, entries.take(block))
            at = distances.argmin(axis=1)
            nearest = distances[np.arange(len(who)), at]
            closer = nearest < self.nearest[impostors]
            names = np.array(entry_ids[start : start + _BLOCK], dtype=object)
            self.nearest[impostors[closer]] = nearest[closer]
            self._nearest_id[impostors[closer]] = names[at[closer]]

    def _joined(self) -> Placed:
        entries = list(self._entries.values())
        return Placed(
            np.concatenate([entry.vectors for entry in entries]),
            np.concatenate([entry.scales for entry in entries]),
            np.concatenate([entry.clusters for entry in entries]),
        )
