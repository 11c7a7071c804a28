"""What an unknown probe would see: the nearest entry of another identity, kept up to date."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, compare, prepare
from recognition.tail import Tail, cautious_threshold, fit_tail

T = TypeVar("T", bound=np.generic)

FIRST_CAPACITY = 16
BLOCK = 256  # rows recomputed at once: bounds the memory to (BLOCK, n) distances


class NearestImpostors:
    """For every gallery entry the distance to the nearest entry of another identity.

    Each entry plays the unknown probe: with its own identity left out of the gallery, whatever it
    finds is a false positive (FPIR, ISO/IEC 19795-1). The best of n impostors comes closer as n
    grows; these distances are taken over the whole gallery, so their quantile counts its size.

    Adding costs O(n·d) an entry, least where many are added at once. Removing costs that for each
    entry whose nearest impostor was removed.
    """

    def __init__(self, dim: int) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        # Columns with spare capacity; the first len(self) rows are in use, in the order of _ids.
        self._vectors: FloatArray = np.empty((FIRST_CAPACITY, dim), dtype=np.float32)
        self._identities: NDArray[np.intp] = np.empty(FIRST_CAPACITY, dtype=np.intp)
        self._nearest: FloatArray = np.empty(FIRST_CAPACITY, dtype=np.float32)
        self._nearest_row: NDArray[np.intp] = np.empty(FIRST_CAPACITY, dtype=np.intp)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._rows

    def extend(
        self, entry_ids: Sequence[str], identities: Sequence[str], vectors: FloatArray
    ) -> None:
        """Add n entries with their vectors (n, d), in place of those that have these ids.

        Raises:
            ValueError: a vector is not (dim,), not finite, or zero, the lengths differ, or an id
                comes twice; nothing has changed then.
        """
        n, dim = len(vectors), self._vectors.shape[1]
        if vectors.shape != (n, dim):
            raise ValueError(f"expected vectors of shape ({n}, {dim}), got {vectors.shape}")
        if not len(set(entry_ids)) == len(entry_ids) == len(identities) == n:
            raise ValueError(f"expected {n} different ids, and an identity for each")
        prepared = prepare(vectors)
        for entry_id in entry_ids:
            if entry_id in self:
                self.remove(entry_id)
        for start in range(0, n, BLOCK):
            block = slice(start, start + BLOCK)
            self._append(entry_ids[block], identities[block], prepared[block])

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

    def tail(self) -> Tail | None:
        """Return the tail of the distances, whose units are the identities of the entries.

        They play the strangers; None where there are no two of different distances.
        """
        who = self._identities[: len(self)][np.isfinite(self._nearest[: len(self)])]
        return fit_tail(self.distances(), who)

    def threshold(self, target_fpir: float) -> float | None:
        """Return :func:`cautious_threshold` of the tail.

        None where strangers are too few to promise the FPIR at any distance there can be.
        """
        tail = self.tail()
        threshold = None if tail is None else cautious_threshold(tail, target_fpir)
        return None if threshold is None or threshold < 0 else threshold

    def _append(
        self, entry_ids: Sequence[str], identities: Sequence[str], prepared: FloatArray
    ) -> None:
        first, end = len(self), len(self) + len(entry_ids)
        while end > len(self._nearest):
            self._grow()
        codes = [self._codes.setdefault(identity, len(self._codes)) for identity in identities]
        self._ids.extend(entry_ids)
        self._rows.update(zip(entry_ids, range(first, end), strict=True))
        self._vectors[first:end] = prepared
        self._identities[first:end] = codes
        self._meet(np.arange(first, end))

    def _meet(self, rows: NDArray[np.intp]) -> None:
        """Find the nearest impostors of new ``rows``, and who has one of them as the nearest."""
        to_impostors = self._recompute(rows)
        nearest = to_impostors.argmin(axis=0)
        distances = to_impostors[nearest, np.arange(len(self))]
        closer = np.flatnonzero(distances < self._nearest[: len(self)])
        self._nearest[closer] = distances[closer]
        self._nearest_row[closer] = rows[nearest[closer]]

    def _recompute(self, rows: NDArray[np.intp]) -> FloatArray:
        """Find the nearest impostors of ``rows`` anew; return all (rows, n) distances.

        Entries of a row's own identity, the row included, are infinitely far. A row that has no
        impostor gets an infinite distance, and the row number beside it means nothing.
        """
        n = len(self)
        to_impostors = compare(self._vectors[rows], self._vectors[:n])
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
