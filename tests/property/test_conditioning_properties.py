"""Conditioned distances against their definition, one pair at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.conditioning import Placed, conditioned, place
from recognition.distance import distances
from tests.unit.placements import placed

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(0, 9)
ks = st.integers(1, 3)


def one_distance(probe: Placed, entry: Placed, level: float) -> float:
    (x,), (y,) = probe.vectors.tolist(), entry.vectors.tolist()
    cosine = math.fsum(a * b for a, b in zip(x, y, strict=True))
    return (1 - cosine) / math.sqrt(probe.scales[0] * entry.scales[0]) / level


@given(seeds, sizes, sizes, ks)
def test_a_distance_is_that_of_the_pair(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    probes, entries, levels = placed(rng, n, k), placed(rng, m, k), rng.uniform(0.3, 3, (k, k))
    found = conditioned(probes, entries, levels)
    assert found.shape == (n, m)
    for row, column in np.ndindex(n, m):
        a, b = int(probes.clusters[row]), int(entries.clusters[column])
        level = 1.0 if -1 in (a, b) else float(levels[a, b])
        pair = probes.take(np.array([row])), entries.take(np.array([column]))
        expected = one_distance(*pair, level)
        assert found[row, column] == pytest.approx(expected, abs=1e-4)


@given(seeds, sizes, sizes, ks)
def test_with_symmetric_levels_the_way_back_is_as_far(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    one, other, some = placed(rng, n, k), placed(rng, m, k), rng.uniform(0.3, 3, (k, k))
    there, back = (conditioned(*pair, some + some.T) for pair in ((one, other), (other, one)))
    assert there == pytest.approx(back.T, abs=1e-5)


@given(seeds, sizes, sizes, ks)
def test_with_nothing_fitted_it_is_the_plain_distance(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    probes, entries = (rng.normal(size=(count, 6)).astype(np.float32) for count in (n, m))
    one, other = (
        place(vectors, rng.integers(-1, k, len(vectors)), None, None)
        for vectors in (probes, entries)
    )
    found = conditioned(one, other, np.ones((k, k)))
    assert np.array_equal(found, distances(probes, entries))


@given(seeds, sizes, sizes, ks, st.floats(0.25, 4))
def test_a_level_of_all_divides_all(seed: int, n: int, m: int, k: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    probes, entries = placed(rng, n, k), placed(rng, m, k)
    probes.clusters[:], entries.clusters[:] = 0, 0
    found = conditioned(probes, entries, np.full((k, k), level))
    assert found * level == pytest.approx(conditioned(probes, entries, np.ones((k, k))), abs=1e-4)
