"""The threshold against a sorted list of all places where a stranger to come may lie."""

import math
import statistics
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recognition.tail import open_set_threshold

NODES = 64
distance = st.integers(0, 16).map(lambda value: value / 8)  # few, so that there are ties
by_identity = st.dictionaries(
    st.sampled_from(["oak", "pond", "gate", "hut", "mill"]),
    st.lists(distance, min_size=1, max_size=8),
)
percents = st.integers(1, 99)
# On no step of the distribution, where the last digit would decide.
shares = percents.map(lambda percent: percent / 100 + math.pi * 1e-6)
Strangers = dict[str, list[float]]


def threshold_of(strangers: Strangers, fpir: float) -> float | None:
    pairs = [(value, name) for name, own in strangers.items() for value in own]
    return open_set_threshold([value for value, _ in pairs], [name for _, name in pairs], fpir)


def by_sorting(strangers: Strangers, fpir: float) -> float | None:
    """Return where the share of the places that lie no farther first exceeds the FPIR."""
    means = [float(mean) for mean in {Fraction(sum(own)) / len(own) for own in strangers.values()}]
    if len(means) < 2:
        return None
    bandwidth = 0.9 * statistics.stdev(means) * math.pow(len(means), -0.2)
    shares = [(node + 0.5) / NODES for node in range(NODES)]
    moves: list[float] = stats.t.ppf(shares, len(means) - 1).tolist()
    places = sorted(
        (value + bandwidth * move, 1 / (len(strangers) * len(own) * NODES))
        for own in strangers.values()
        for value in own
        for move in moves
    )
    reached = accumulate(weight for _, weight in places)
    return next(place for (place, _), share in zip(places, reached, strict=True) if share > fpir)


def by_prediction(strangers: Strangers, fpir: float) -> float:
    """Return what an image of the next identity is nearer than with probability ``fpir``."""
    means = [statistics.fmean(own) for own in strangers.values()]
    within = statistics.fmean(statistics.pvariance(own) for own in strangers.values())
    distinct = len({Fraction(sum(own)) / len(own) for own in strangers.values()})
    variance = statistics.variance(means) * (1 + 1 / len(means)) + within
    student = float(stats.t.ppf(fpir, distinct - 1))
    return statistics.fmean(means) + student * math.sqrt(variance)


@given(by_identity, shares)
def test_it_lies_where_the_share_is_first_exceeded(strangers: Strangers, fpir: float) -> None:
    expected = by_sorting(strangers, fpir)
    if expected is not None and fpir * sum(map(len, strangers.values())) < 1:
        expected = min(expected, by_prediction(strangers, fpir))
    found = threshold_of(strangers, fpir)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-9, rel=1e-9))


@given(by_identity, percents, percents)
def test_a_larger_fpir_never_lowers_it(strangers: Strangers, one: int, other: int) -> None:
    taus = [threshold_of(strangers, percent / 100) for percent in sorted((one, other))]
    lower, upper = (-math.inf if tau is None else tau for tau in taus)
    assert lower <= upper


@given(by_identity, shares)
def test_the_order_of_the_strangers_does_not_matter(strangers: Strangers, fpir: float) -> None:
    turned = {name: strangers[name][::-1] for name in reversed(strangers)}
    one, other = threshold_of(strangers, fpir), threshold_of(turned, fpir)
    assert one == (None if other is None else pytest.approx(other, abs=1e-9, rel=1e-9))


@given(by_identity, percents, st.floats(0.01, 1))
def test_strangers_who_come_nearer_never_raise_it(
    strangers: Strangers, percent: int, nearer: float
) -> None:
    moved = {name: [value - nearer for value in own] for name, own in strangers.items()}
    tau, lower = threshold_of(strangers, percent / 100), threshold_of(moved, percent / 100)
    if tau is not None:
        assert lower is not None
        assert lower < tau
