"""Genuine and impostor distances by the values that the two images have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognition.distance import FloatArray, distances

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

Number = TypeVar("Number", np.intp, np.float64)

BINS: Final = 48


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """Distances of pairs of images by the groups (g) of the two; symmetric.

    Attributes:
        counts: (g, g, bins) how many pairs lie between two edges.
        mean: (g, g), NaN where there is no pair.
        variance: (g, g), likewise.
    """

    counts: Codes
    mean: Float64
    variance: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of one identity (genuine) and of two (impostor); ``edges`` (bins + 1) of both."""

    edges: Float64
    genuine: Distances
    impostor: Distances

    @property
    def separation(self) -> Float64:
        """d′ (g, g): how far the two means lie apart, in their mean standard deviation.

        Daugman, *Biometric decision landscapes*, 2000.
        """
        apart = self.impostor.mean - self.genuine.mean
        scale = np.sqrt((self.genuine.variance + self.impostor.variance) / 2)
        result = np.full_like(apart, np.nan)
        np.divide(apart, scale, out=result, where=scale > 0)
        return result


class AllPairs:
    """The cosine distances of all pairs of these images (n, d), binned once for all variables."""

    def __init__(self, embeddings: FloatArray, labels: Sequence[str]) -> None:
        first, second = np.triu_indices(len(embeddings), 1)
        self._first, self._second = first, second
        self._distance = distances(embeddings, embeddings)[first, second].astype(np.float64)
        codes = np.unique(np.asarray(labels, np.str_), return_inverse=True)[1]
        self._genuine = codes[first] == codes[second]
        top = float(self._distance.max(initial=0))
        self._edges = np.linspace(0, top if top > 0 else 1, BINS + 1)
        self._bin = np.searchsorted(self._edges, self._distance, side="right").clip(1, BINS) - 1

    def by(self, codes: Codes, groups: int) -> Pairs:
        """Return the distances by group; ``codes`` (n,) tell that of each image, -1 for none."""
        first, second = codes[self._first], codes[self._second]
        low, high = np.minimum(first, second), np.maximum(first, second)
        pair = low * groups + high
        genuine, impostor = (
            self._of(pair, (low >= 0) & of_kind, groups)
            for of_kind in (self._genuine, ~self._genuine)
        )
        return Pairs(self._edges, genuine, impostor)

    def _of(self, pair: Codes, which: NDArray[np.bool_], groups: int) -> Distances:
        pair, distance = pair[which], self._distance[which]
        cells = groups * groups
        counts = np.bincount(pair * BINS + self._bin[which], minlength=cells * BINS)
        n = _both(np.bincount(pair, minlength=cells), groups).astype(np.float64)
        n[n == 0] = np.nan
        mean, square = (
            _both(np.bincount(pair, values, cells), groups) / n
            for values in (distance, distance**2)
        )
        return Distances(
            _both(counts, groups), mean[:, :, 0], np.maximum(square - mean**2, 0)[:, :, 0]
        )


def _both(sums: NDArray[Number], groups: int) -> NDArray[Number]:
    """Return sums by the lower and the higher group as (g, g, ...), the same in either order."""
    square = sums.reshape(groups, groups, -1)
    lower = np.tril(np.ones((groups, groups), dtype=np.bool_), -1)[:, :, None]
    result: NDArray[Number] = np.where(lower, square.swapaxes(0, 1), square)
    return result
