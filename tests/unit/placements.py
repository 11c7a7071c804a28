"""Placed embeddings, drawn at random."""

import numpy as np

from recognition.background import Encoder
from recognition.clusters import Clusters
from recognition.conditioning import Conditioning, Impostors, Placed
from recognition.distance import prepare
from recognition.variable import Kind, Variable

SIZE = 4


def placed(rng: np.random.Generator, n: int, k: int) -> Placed:
    """Return n embeddings in k clusters and in none, each with a local scale of its own."""
    return Placed(
        prepare(rng.normal(size=(n, SIZE)).astype(np.float32)),
        rng.uniform(0.2, 2, n).astype(np.float32),
        rng.integers(-1, k, n),
    )


def conditioning(rng: np.random.Generator, impostors: int, k: int = 2) -> Conditioning:
    """Return one of k clusters, with levels between them; every impostor has three images."""
    names = tuple(f"value{i}" for i in range(max(k, 2)))
    encoder = Encoder((Variable("light", Kind.NOMINAL, names),))
    clusters = Clusters(encoder, np.eye(k, len(names)), 0.1, np.full(k, 9), names[:k])
    owners = np.array([f"stranger{i // 3}" for i in range(impostors)], np.str_)
    strangers = Impostors(placed(rng, impostors, k), owners)
    return Conditioning(clusters, None, None, rng.uniform(0.5, 2, (k, k)), strangers)
