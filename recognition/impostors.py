"""What an unknown probe would see: the nearest entry of another identity, kept up to date."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, Metric, compare, prepare
from recognition.threshold import open_set_threshold

T = TypeVar("T", bound=np.generic)

FIRST_CAPACITY = 16
BLOCK = 256  # rows recomputed at once: bounds the memory to (BLOCK, n) distances


class NearestImpostors:
    """For every gallery entry the distance to the nearest entry of another identity.

    Each entry plays the unknown probe: with its own identity left out of the gallery, whatever it
    finds is a false positive (FPIR, ISO/IEC 19795-1). The best of n impostors comes closer as n
    grows; these distances are taken over the whole gallery, so their quantile counts its size.

    Adding costs O(n·d). Removing costs that for each entry whose nearest impostor was removed.
    """

    def __init__(self, dim: int, metric: Metric = Metric.COSINE) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        self._metric = metric
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        # Columns with spare capacity; the first len(self) rows are in use, in the order of _ids.
        self._vectors: FloatArray = np.empty((FIRST_CAPACITY, dim), dtype=np.float32)
        self._identities: NDArray[np.object_] = np.empty(FIRST_CAPACITY, dtype=object)
        self._nearest: FloatArray = np.empty(FIRST_CAPACITY, dtype=np.float32)
        self._nearest_row: NDArray[np.intp] = np.empty(FIRST_CAPACITY, dtype=np.intp)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._rows

    @property
    def identities(self) -> int:
        """The number of distinct identities."""
        return len(set(self._identities[: len(self)]))

    def add(self, entry_id: str, identity: str, vector: FloatArray) -> None:
        """Add an entry with its (d,) vector, in place of the one that has this id.

        Raises:
            ValueError: the vector is not (dim,), not finite, or zero under the cosine; nothing
                has changed then.
        """
        dim = self._vectors.shape[1]
        if vector.shape != (dim,):
            raise ValueError(f"expected a vector of shape ({dim},), got {vector.shape}")
        prepared = prepare(vector[None], self._metric)[0]
        if entry_id in self:
            self.remove(entry_id)
        row = len(self)
        if row == len(self._nearest):
            self._grow()
        self._ids.append(entry_id)
        self._rows[entry_id] = row
        self._vectors[row] = prepared
        self._identities[row] = identity
        to_impostors = self._recompute(np.array([row]))[0]
        closer = np.flatnonzero(to_impostors < self._nearest[: len(self)])
        self._nearest[closer] = to_impostors[closer]
        self._nearest_row[closer] = row

    def remove(self, entry_id: str) -> None:
        """Remove an entry; KeyError when there is none with this id."""
        hole = self._rows.pop(entry_id)
        last, last_id = len(self) - 1, self._ids[-1]
        if hole != last:
            self._ids[hole] = last_id
            self._rows[last_id] = hole
        self._ids.pop()
        for column in (self._vectors, self._identities, self._nearest, self._nearest_row):
            column[hole] = column[last]
        nearest_row = self._nearest_row[:last]
        bereft = np.flatnonzero(nearest_row == hole)
        nearest_row[nearest_row == last] = hole
        for start in range(0, bereft.size, BLOCK):
            self._recompute(bereft[start : start + BLOCK])

    def distances(self) -> FloatArray:
        """Return the distances of the entries that have an impostor, in no particular order.

        All entries have one from two identities on; before that the result is empty.
        """
        nearest = self._nearest[: len(self)]
        return nearest[np.isfinite(nearest)]

    def threshold(self, target_fpir: float) -> float | None:
        """Return :func:`open_set_threshold` of the distances.

        None where the entries are too few to promise the FPIR at any distance there can be.
        """
        threshold = open_set_threshold(self.distances(), target_fpir)
        nothing = threshold is not None and threshold < 0 and self._metric is not Metric.IP
        return None if nothing else threshold

    def _recompute(self, rows: NDArray[np.intp]) -> FloatArray:
        """Find the nearest impostors of ``rows`` anew; return all (rows, n) distances.

        Entries of a row's own identity, the row included, are infinitely far. A row that has no
        impostor gets an infinite distance, and the row number beside it means nothing.
        """
        n = len(self)
        to_impostors = compare(self._vectors[rows], self._vectors[:n], self._metric)
        to_impostors[self._identities[rows, None] == self._identities[:n]] = np.inf
        self._nearest_row[rows] = to_impostors.argmin(axis=1)
        self._nearest[rows] = to_impostors.min(axis=1)
        return to_impostors

    def _grow(self) -> None:
        self._vectors = _doubled(self._vectors)
        self._identities = _doubled(self._identities)
        self._nearest = _doubled(self._nearest)
        self._nearest_row = _doubled(self._nearest_row)


def _doubled(column: NDArray[T]) -> NDArray[T]:
    return np.concatenate([column, np.empty_like(column)])
