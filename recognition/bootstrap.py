"""How sure a measure is: resampling identities, since the images of one are not independent.

The gallery stays; the identities that come to be recognised are drawn with replacement, each with
all its probes (the subset bootstrap of Bolle, Ratha and Pankanti, *Error analysis of pattern
recognition systems*, 2004). Drawn once and used for everything, the same draws give intervals of
differences between models (paired), and of means over splits that share identities.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Interval(NamedTuple):
    """Between these lie 95 % of the draws; both NaN where no draw could be measured."""

    low: float
    high: float


class IdentityDraws:
    """Identities drawn with replacement, ``draws`` times, as many as there are each time."""

    def __init__(self, identities: Sequence[str], *, draws: int = 1000, seed: int = 0) -> None:
        self._names = np.unique(np.asarray(identities, dtype=np.str_))
        n = len(self._names)
        if n == 0 or draws < 1:
            raise ValueError(f"expected identities and at least one draw, got {n} and {draws}")
        rng = np.random.default_rng(seed)
        self._times = rng.multinomial(n, np.full(n, 1 / n), size=draws)  # (draws, n)

    def __len__(self) -> int:
        return len(self._times)

    def of(self, labels: Sequence[str] | NDArray[np.str_]) -> Iterator[NDArray[np.intp]]:
        """Yield, draw by draw, the indices of the probes with these ``labels`` that are drawn."""
        place = self._place(labels)
        everything = np.arange(len(place))
        for times in self._times:
            yield np.repeat(everything, times[place])

    def means(
        self, values: NDArray[np.float64], labels: Sequence[str] | NDArray[np.str_]
    ) -> NDArray[np.float64]:
        """Return the mean over the probes drawn: (p, m) values -> (draws, m); NaN is left out.

        The same as the mean over :meth:`of`, by sums over identities, and so without a loop.
        """
        belongs = self._place(labels) == np.arange(len(self._names))[:, None]
        # All as floats, since only those are multiplied fast.
        times, belonging = self._times.astype(np.float64), belongs.astype(np.float64)
        given = ~np.isnan(values)
        sums: NDArray[np.float64] = times @ (belonging @ np.where(given, values, 0))
        counts = times @ (belonging @ given.astype(np.float64))
        means = np.full_like(sums, np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        return means

    def _place(self, labels: Sequence[str] | NDArray[np.str_]) -> NDArray[np.intp]:
        asked = np.asarray(labels, dtype=np.str_)
        place = np.searchsorted(self._names, asked).clip(max=len(self._names) - 1)
        if strange := set(asked[self._names[place] != asked].tolist()):
            raise ValueError(f"not among the identities: {', '.join(sorted(strange))}")
        return place


def interval(values: NDArray[np.float64]) -> Interval:
    """Return the percentile interval of ``values`` (draws,), NaN left out.

    >>> interval(np.arange(101.0))
    Interval(low=2.5, high=97.5)
    """
    present = values[~np.isnan(values)]
    if present.size == 0:
        return Interval(np.nan, np.nan)
    low, high = np.quantile(present, [0.025, 0.975])
    return Interval(float(low), float(high))
