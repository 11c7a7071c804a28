"""Labelled images by day and by night, where night moves all embeddings or does nothing."""

import numpy as np

from recognition.background import Encoder
from recognition.fit import Sample
from recognition.variable import Kind, Variable

ENCODER = Encoder((Variable("light", Kind.NOMINAL, ("day", "night")),))
IMAGES, SIZE = 8, 16


def herd(name: str, seed: int, *, shift: float, identities: int = 20) -> Sample:
    """Return identities of eight images each, every other one by night, moved by ``shift``.

    Identities lie 1 apart in each dimension, the images of each 0.6 about it.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(identities), IMAGES)
    night = np.arange(who.size) % 2
    embeddings = rng.normal(size=(identities, SIZE))[who] + 0.6 * rng.normal(size=(who.size, SIZE))
    embeddings[:, 0] += shift * night
    return Sample(
        embeddings.astype(np.float32),
        np.array([f"{name}{i}" for i in who]),
        [{"light": ("day", "night")[dark]} for dark in night],
    )
