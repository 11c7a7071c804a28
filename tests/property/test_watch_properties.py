"""After any sequence of changes the nearest entries are what a search of everything finds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition import watch as module
from recognition.cluster import EVERYWHERE
from recognition.cluster_tails import fit_cluster_tails
from recognition.conditioning import Conditioning, Placed
from recognition.watch import ImpostorWatch
from tests.unit.placements import conditioning, placed

POOL = 10
ids = st.sampled_from([f"e{number}" for number in range(6)])
rows = st.integers(0, POOL - 1)  # which of a pool of spots; several entries may lie at one
changes = st.lists(
    st.one_of(
        st.tuples(st.just("extend"), st.dictionaries(ids, rows)),
        st.tuples(st.just("discard"), st.dictionaries(ids, rows)),
    ),
    max_size=15,
)
Change = tuple[str, dict[str, int]]


def brute_force(made: Conditioning, pool: Placed, held: dict[str, int]) -> list[float]:
    strangers, padded = made.impostors.placed, np.pad(made.levels, (0, 1), constant_values=1)
    found = []
    for vector, scale, cluster in zip(
        strangers.vectors.tolist(), strangers.scales, strangers.clusters, strict=True
    ):
        distances = [
            (1 - math.fsum(x * y for x, y in zip(vector, pool.vectors[row].tolist(), strict=True)))
            / math.sqrt(scale * pool.scales[row])
            / padded[cluster, pool.clusters[row]]
            for row in held.values()
        ]
        found.append(min(distances, default=math.inf))
    return found


def change(watch: ImpostorWatch, pool: Placed, held: dict[str, int], what: Change) -> None:
    """Make a change, to the watch and to what it should hold."""
    kind, given = what
    taken = pool.take(np.array(list(given.values()), np.intp))
    here = [entry_id for entry_id in given if entry_id in held]
    if kind == "extend":
        watch.extend(list(given), taken)
        held.update(given)
        return
    watch.discard(here)
    for entry_id in here:
        del held[entry_id]


@given(changes, st.integers(0, 2**32 - 1), st.sampled_from([2, 1024]))
def test_they_equal_brute_force_after_every_change(
    sequence: list[Change], seed: int, block: int
) -> None:
    rng = np.random.default_rng(seed)
    made, pool = conditioning(rng, 12), placed(rng, POOL, 2)
    watch, held = ImpostorWatch(made), dict[str, int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        for what in sequence:
            change(watch, pool, held, what)
            assert len(watch) == len(held)
            assert watch.nearest == pytest.approx(brute_force(made, pool, held), abs=1e-5)


@given(changes, st.integers(0, 2**32 - 1))
def test_the_thresholds_are_those_of_the_entries_that_are_left(
    sequence: list[Change], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    made, pool = conditioning(rng, 12), placed(rng, POOL, 2)
    watch, held = ImpostorWatch(made), dict[str, int]()
    for what in sequence:
        change(watch, pool, held, what)
    strangers = made.impostors
    expected: dict[str, float] = {}
    if held:
        nearest = np.array(brute_force(made, pool, held), np.float32)
        tails = fit_cluster_tails(nearest, strangers.identities, strangers.placed.clusters, 2)
        assert tails is not None
        expected = dict(zip(["c0", "c1", EVERYWHERE], tails.thresholds(0.05).tolist(), strict=True))
    assert watch.thresholds(0.05) == pytest.approx(expected, rel=1e-4, abs=1e-4)
