"""The tail against plain loops over every distance and every place that a new identity may take."""

import math
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from recognition.pareto import Pareto
from recognition.tail import Tail, fit_tail, weighted_quantile
from tests.property.examples import examples
from tests.unit.strangers import strangers

NODES = 64
Images = list[tuple[str, float]]

# Few distinct values make ties, which is where a quantile goes wrong.
distance = st.integers(0, 4).map(float) | st.integers(-80, 80).map(lambda value: value / 8)
images = st.lists(st.tuples(st.sampled_from("abcdef"), distance), min_size=1, max_size=40)
percents = st.integers(1, 99)
seeds = st.integers(0, 2**32 - 1)
# On no step of the distribution, where the last digit would decide.
shares = percents.map(lambda percent: percent / 100 + math.pi * 1e-6)


def tail_of(given: Images) -> Tail:
    identities, nearest = zip(*given, strict=True)
    tail = fit_tail(nearest, identities)
    assume(tail is not None)
    assert tail is not None
    return tail


def large(seed: int) -> tuple[Images, Tail]:
    """Return so many strangers that the Pareto tail is fitted, and some share a distance."""
    rng = np.random.default_rng(seed)
    drawn = strangers(rng, int(rng.integers(5, 12)), int(rng.integers(60, 90)))
    pairs = zip(drawn.identities.tolist(), (drawn.nearest * 64).round().tolist(), strict=True)
    given = [(f"id{who}", value / 64) for who, value in pairs]
    tail = tail_of(given)
    assert tail.pareto is not None
    return given, tail


def weights_of(given: Images) -> list[float]:
    counts = Counter(identity for identity, _ in given)
    return [1 / len(counts) / counts[identity] for identity, _ in given]


def accepted(given: Images, tail: Tail, threshold: float) -> float:
    """Return the FPIR by a double loop; the spread anew, by the standard library and SciPy."""
    by_name: dict[str, list[float]] = {}
    for identity, value in given:
        by_name.setdefault(identity, []).append(value)
    means = [float(mean) for mean in {Fraction(sum(own)) / len(own) for own in by_name.values()}]
    bandwidth = 0.9 * statistics.stdev(means) * math.pow(len(means), -0.2)
    assert tail.bandwidth == pytest.approx(bandwidth)
    nodes = stats.t.ppf([(node + 0.5) / NODES for node in range(NODES)], len(means) - 1)
    return sum(share_below(given, tail.pareto, threshold - bandwidth * t) for t in nodes) / NODES


def share_below(given: Images, pareto: Pareto | None, threshold: float) -> float:
    if pareto is not None and threshold < pareto.start:
        beyond = (pareto.start - threshold) / pareto.scale
        return pareto.mass * float(stats.genpareto.sf(beyond, pareto.shape))
    weighed = zip(weights_of(given), given, strict=True)
    return sum(weight for weight, (_, value) in weighed if value <= threshold)


SLACK = 1e-8  # of rounding, where a threshold lies at a distance


@given(images, st.floats(-20, 20))
def test_the_fpir_is_that_of_a_double_loop(given_images: Images, threshold: float) -> None:
    tail = tail_of(given_images)
    found = tail.fpir(threshold)
    assert found >= accepted(given_images, tail, threshold - SLACK) - 1e-12
    assert found <= accepted(given_images, tail, threshold + SLACK) + 1e-12


@examples(25)
@given(seeds, st.floats(-4, 4))
def test_so_it_is_with_a_fitted_tail(seed: int, deviations: float) -> None:
    given_images, tail = large(seed)
    threshold = 10 + deviations
    found = tail.fpir(threshold)
    assert found >= accepted(given_images, tail, threshold - SLACK) - 1e-9
    assert found <= accepted(given_images, tail, threshold + SLACK) + 1e-9


@given(images, percents)
def test_the_threshold_is_the_largest_that_keeps_the_fpir(
    given_images: Images, percent: int
) -> None:
    tail = tail_of(given_images)
    threshold = tail.threshold(percent / 100)
    assert accepted(given_images, tail, threshold - SLACK) <= percent / 100 + 1e-12
    assert accepted(given_images, tail, threshold + SLACK) > percent / 100 - 1e-12


@given(seeds, st.floats(1e-6, 0.999))
def test_it_is_with_a_fitted_tail(seed: int, fpir: float) -> None:
    _, tail = large(seed)
    threshold = tail.threshold(fpir)
    assert tail.fpir(threshold) <= fpir
    # Just above: a step of the distances, or on the fitted tail very little.
    assert tail.fpir(threshold + SLACK) > fpir * (1 - 1e-9)


@given(images, st.floats(-20, 20), st.floats(0, 20))
def test_a_larger_threshold_accepts_no_fewer(
    given_images: Images, threshold: float, more: float
) -> None:
    tail = tail_of(given_images)
    assert 0 <= tail.fpir(threshold) <= tail.fpir(threshold + more) <= 1 + 1e-12


@given(seeds, seeds, shares)
def test_neither_order_nor_names_matter(seed: int, other: int, share: float) -> None:
    given_images, tail = large(seed)
    mixed = np.random.default_rng(other).permutation(len(given_images))
    turned = tail_of([(f"_{given_images[i][0][::-1]}", given_images[i][1]) for i in mixed])
    expected = pytest.approx(tail.threshold(share), abs=1e-6)
    assert turned.threshold(share) == expected


@given(seeds, st.integers(0, 11), shares)
def test_the_images_of_one_identity_may_be_doubled(seed: int, who: int, share: float) -> None:
    given_images, tail = large(seed)
    doubled = given_images + [pair for pair in given_images if pair[0] == f"id{who}"]
    again = tail_of(doubled)
    assert again.bandwidth == pytest.approx(tail.bandwidth)
    assert again.threshold(share) == pytest.approx(tail.threshold(share), abs=1e-6)


@given(seeds, st.integers(-50, 50), st.sampled_from([0.25, 0.5, 2.0, 8.0]), shares)
def test_it_moves_and_stretches_with_the_distances(
    seed: int, shift: int, factor: float, share: float
) -> None:
    given_images, tail = large(seed)
    changed = tail_of([(who, shift + factor * value) for who, value in given_images])
    expected = shift + factor * tail.threshold(share)
    assert changed.threshold(share) == pytest.approx(expected, abs=1e-6)


@given(images, st.integers(0, 100))
def test_the_quantile_is_the_first_value_by_which_the_share_is_reached(
    given_images: Images, percent: int
) -> None:
    identities, values = zip(*given_images, strict=True)
    weights = weights_of(given_images)
    for value in sorted(values):
        expected = value
        reached = math.fsum(w for w, v in zip(weights, values, strict=True) if v <= value)
        if reached >= percent / 100 - 1e-12:
            break
    assert weighted_quantile(values, identities, percent / 100) == expected
