"""A population of strangers: how near each of their images comes to a gallery, planted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

BETWEEN, WITHIN = 1.0, 1.0
"""Standard deviations of the identities' means, and of the images about theirs."""


class Strangers(NamedTuple):
    """Distances (n,) to the nearest entry, and whose image each is (n,)."""

    nearest: Float64
    identities: NDArray[np.intp]


def strangers(rng: np.random.Generator, identities: int, images: int) -> Strangers:
    """Draw identities about 10, and the images of each about its own mean; all are normal."""
    means = 10 + BETWEEN * rng.normal(size=(identities, 1))
    nearest = means + WITHIN * rng.normal(size=(identities, images))
    return Strangers(nearest.ravel(), np.repeat(np.arange(identities), images))
