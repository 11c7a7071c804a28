"""Embeddings on a circle: the cosine distance of two is one minus the cosine of the angle."""

from collections.abc import Mapping, Sequence

import numpy as np

from recognition.distance import FloatArray
from recognition.protocol import Part, Split, Trial


def at_angles(degrees: Sequence[float]) -> FloatArray:
    """Return unit vectors (n, 2) float32."""
    radians = np.deg2rad(np.asarray(degrees, dtype=np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def trial(gallery: Sequence[int], probes: Sequence[int]) -> Trial:
    return Trial(np.array(gallery, dtype=np.intp), np.array(probes, dtype=np.intp))


def split(
    trials: Mapping[Part, Trial], *, number: int = 0, train: Sequence[int] = (), name: str = "mixed"
) -> Split:
    keyed = {(name, part): one for part, one in trials.items()}
    return Split(number, np.array(train, dtype=np.intp), keyed)
