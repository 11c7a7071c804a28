"""Levels against a loop over every pair of images."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.conditioning import Placed
from recognition.fit import fit_levels
from tests.unit.placements import placed

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(0, 14)
ks = st.integers(1, 3)


def drawn(seed: int, n: int, k: int) -> tuple[Placed, NDArray[np.str_]]:
    rng = np.random.default_rng(seed)
    return placed(rng, n, k), rng.integers(0, 6, n).astype(np.str_)


def strangers(some: Placed, names: NDArray[np.str_], a: int, b: int) -> list[float]:
    vectors = some.vectors.tolist()
    return [
        (1 - math.fsum(x * y for x, y in zip(vectors[i], vectors[j], strict=True)))
        / math.sqrt(some.scales[i] * some.scales[j])
        for i, j in np.ndindex(len(some), len(some))
        if names[i] != names[j] and some.clusters[i] == a and some.clusters[j] == b
    ]


@given(seeds, sizes, ks)
def test_a_level_is_a_quantile_over_that_of_all_drawn_toward_one(seed: int, n: int, k: int) -> None:
    some, names = drawn(seed, n, k)
    pairs = {(a, b): strangers(some, names, a, b) for a in range(k) for b in range(k)}
    everything = [distance for own in pairs.values() for distance in own]
    found = fit_levels(some, names, k)
    assert found.shape == (k, k)
    for (a, b), own in pairs.items():
        count = min(len(set(names[some.clusters == cluster].tolist())) for cluster in (a, b))
        expected = 1.0
        if own:
            relative = np.quantile(own, 0.01) / np.quantile(everything, 0.01)
            expected = (count * relative + 2) / (count + 2)
        assert found[a, b] == pytest.approx(max(expected, 0.1), rel=1e-2)


@given(seeds, sizes, ks)
def test_they_are_the_same_there_and_back(seed: int, n: int, k: int) -> None:
    found = fit_levels(*drawn(seed, n, k), k)
    assert found == pytest.approx(found.T, rel=1e-2)
