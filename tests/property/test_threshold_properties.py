"""The threshold is the largest that keeps the promise."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recognition.threshold import open_set_threshold

# Few distinct values make ties, which is where a quantile goes wrong.
distance = st.floats(-1e6, 1e6, width=32) | st.integers(0, 4).map(float)
distances = st.lists(distance, min_size=1, max_size=60)
percents = st.integers(1, 99)
# Enough of them to show the share, and too few.
many, of_many = st.lists(distance, min_size=10, max_size=60), st.integers(10, 99)
few, of_few = st.lists(distance, min_size=1, max_size=24), st.integers(1, 4)


def accepted(impostors: list[float], tau: float) -> Fraction:
    return Fraction(sum(distance <= tau for distance in impostors), len(impostors))


@given(distances, percents)
def test_no_more_than_the_target_share_is_accepted(impostors: list[float], percent: int) -> None:
    tau = open_set_threshold(np.array(impostors, dtype=np.float32), percent / 100)
    assert tau is None or accepted(impostors, tau) <= Fraction(percent, 100)


@given(many, of_many)
def test_any_larger_threshold_breaks_the_promise(impostors: list[float], percent: int) -> None:
    tau = open_set_threshold(np.array(impostors, dtype=np.float32), percent / 100)
    assert tau is not None
    larger = float(np.nextafter(np.float32(tau), np.float32(np.inf)))
    assert accepted(impostors, larger) > Fraction(percent, 100)


@given(distances, percents)
def test_the_order_of_the_impostors_does_not_matter(impostors: list[float], percent: int) -> None:
    turned = impostors[::-1]
    one, other = (
        open_set_threshold(np.array(each, dtype=np.float32), percent / 100)
        for each in (impostors, turned)
    )
    assert one == other


@given(distances, percents, percents)
def test_a_larger_fpir_never_lowers_it(impostors: list[float], one: int, other: int) -> None:
    taus = [
        open_set_threshold(np.array(impostors, dtype=np.float32), percent / 100)
        for percent in sorted((one, other))
    ]
    lower, upper = (-math.inf if tau is None else tau for tau in taus)
    assert lower <= upper


@given(few, of_few)
def test_few_impostors_keep_it_below_the_bound_for_the_next_one(
    impostors: list[float], percent: int
) -> None:
    """SciPy's own prediction interval: that of a t-distributed next draw, turned round."""
    row = np.array(impostors, dtype=np.float32)
    tau = open_set_threshold(row, percent / 100)
    wide = np.array(sorted(set(row.tolist())))
    n = len(wide)
    if n < 2:
        assert tau is None
        return
    spread = wide.std(ddof=1) * math.sqrt(1 + 1 / n)
    bound = wide.mean() + stats.t.ppf(percent / 100, n - 1) * spread
    assert tau is not None
    slack = 1e-6 * (1 + abs(bound) + abs(wide).max())
    assert tau == pytest.approx(min(bound, wide.min()), abs=slack)
