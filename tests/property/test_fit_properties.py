"""What a fit is made from, and how it is judged, against loops over probes and entries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.candidates import ConditioningCandidate, Standard
from recognition.cluster_tails import cluster_scales
from recognition.clusters import everything
from recognition.conditioning import Placed, conditioned, spaced
from recognition.fit import Sample, condition, find_clusters
from recognition.judge import judge
from recognition.protocol import Trial
from recognition.trials import draw_trials
from tests.property.examples import examples
from tests.unit.herds import ENCODER, herd
from tests.unit.placements import placed

seeds = st.integers(0, 2**32 - 1)
made = st.builds(
    ConditioningCandidate,
    st.integers(1, 2),
    st.sampled_from(Standard),
    st.booleans(),
    st.booleans(),
)


@given(st.integers(0, 500), st.integers(1, 500))
def test_indices_are_as_many_as_may_be_and_evenly_spaced(n: int, most: int) -> None:
    found = spaced(n, most).tolist()
    assert len(found) == min(n, most)
    if len(found) > 1:
        assert (found[0], found[-1]) == (0, n - 1)
        steps = np.diff(found)
        assert max(steps) - min(steps) <= 1


@examples(30)
@given(seeds, made)
def test_who_is_held_out_makes_no_part_of_it(seed: int, candidate: ConditioningCandidate) -> None:
    """Other embeddings and other names, of the same backgrounds, change the strangers alone."""
    seen = herd("seen", seed, shift=2.0, identities=6)
    one = herd("held", seed + 1, shift=2.0, identities=5)
    other = Sample(one.embeddings[::-1] + 1, one.identities[::-1], one.backgrounds)
    clusters = find_clusters(ENCODER, seen, one, candidate.k)
    a, b = (condition(candidate, clusters, seen, held) for held in (one, other))
    assert np.array_equal(a.levels, b.levels)
    probes = herd("new", seed + 2, shift=2.0, identities=2)
    for field in ("vectors", "scales", "clusters"):
        there, here = (
            getattr(made.place(probes.embeddings, probes.backgrounds), field) for made in (a, b)
        )
        assert np.array_equal(there, here)


@examples(30)
@given(seeds)
def test_one_cluster_knows_no_background(seed: int) -> None:
    seen, held = (herd(str(i), seed + i, shift=3.0, identities=5) for i in range(2))
    candidate = ConditioningCandidate(1, Standard.SCALE, scaled=True)
    made = condition(candidate, everything(80, ENCODER), seen, held)
    swapped = [{"light": "day"}] * len(held.backgrounds)
    there = made.place(held.embeddings, held.backgrounds)
    here = made.place(held.embeddings, swapped)
    assert np.array_equal(there.vectors, here.vectors)
    assert np.array_equal(there.scales, here.scales)


def by_loops(
    some: Placed, levels: NDArray[np.float64], names: list[str], trial: Trial, percent: int
) -> float:
    matrix: list[list[float]] = conditioned(some, some, levels).tolist()
    gallery = trial.gallery.tolist()
    others = [
        min((matrix[i][j] for j in gallery if names[j] != names[i]), default=math.inf)
        for i in range(len(names))
    ]
    scales = cluster_scales(np.array(others), np.array(names), some.clusters, len(levels))
    enrolled = {names[j] for j in gallery}
    impostors: list[float] = []
    genuine: list[float] = []
    for i in trial.probes.tolist():
        near, who = min((matrix[i][j] / float(scales[some.clusters[i]]), names[j]) for j in gallery)
        if names[i] not in enrolled:
            impostors.append(near)
        else:
            genuine.append(near if who == names[i] else math.inf)
    first_rejected = sorted(impostors)[percent * len(impostors) // 100]
    return sum(near < first_rejected for near in genuine) / len(genuine)


@examples(50)
@given(seeds, st.integers(1, 3), st.integers(0, 60))
def test_the_judge_counts_as_loops_do(seed: int, k: int, percent: int) -> None:
    rng = np.random.default_rng(seed)
    some, names = placed(rng, 30, k), [f"id{i // 4}" for i in range(30)]
    levels = rng.uniform(0.5, 2, (k, k))
    trials = draw_trials(names, draws=3, seed=seed)
    expected = [by_loops(some, levels, names, trial, percent) for trial in trials]
    found = judge(some, levels, np.array(names), trials, percent / 100)
    assert found.whole.tolist() == pytest.approx(expected)
