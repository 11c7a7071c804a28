"""The local scale against a sort of all distances, one embedding at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.conditioning import NEAREST, Cohort
from recognition.distance import FloatArray, prepare

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 30)
few = st.integers(0, 8)


def unit(rng: np.random.Generator, n: int, d: int = 5) -> FloatArray:
    return prepare(rng.normal(size=(n, d)).astype(np.float32))


def brute_force(vector: list[float], members: list[list[float]], apart: list[bool]) -> float:
    distances = sorted(
        1 - math.fsum(x * y for x, y in zip(vector, member, strict=True))
        for member, left_out in zip(members, apart, strict=True)
        if not left_out
    )[:NEAREST]
    return max(math.fsum(distances) / len(distances), 1e-3) if distances else 1.0


def drawn(seed: int, n: int, m: int) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    return unit(rng, n), unit(rng, m), rng.random((n, m)) < rng.random()


@given(seeds, few, sizes)
def test_it_is_the_mean_of_the_nearest_ten_that_are_not_apart(seed: int, n: int, m: int) -> None:
    vectors, members, apart = drawn(seed, n, m)
    for left_out in (None, apart):
        rows = np.zeros_like(apart) if left_out is None else left_out
        expected = [
            brute_force(vector.tolist(), members.tolist(), row.tolist())
            for vector, row in zip(vectors, rows, strict=True)
        ]
        assert Cohort(members).scales(vectors, left_out) == pytest.approx(expected, abs=1e-6)


@given(seeds, few, sizes)
def test_turning_the_space_changes_nothing(seed: int, n: int, m: int) -> None:
    vectors, members, apart = drawn(seed, n, m)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0].astype(np.float32)
    expected = Cohort(members).scales(vectors, apart)
    assert Cohort(members @ turn).scales(vectors @ turn, apart) == pytest.approx(expected, abs=1e-5)


@given(seeds, few, sizes)
def test_the_order_of_the_cohort_does_not_matter(seed: int, n: int, m: int) -> None:
    vectors, members, apart = drawn(seed, n, m)
    order = np.random.default_rng(seed).permutation(m)
    expected = Cohort(members).scales(vectors, apart)
    found = Cohort(members[order]).scales(vectors, apart[:, order])
    assert found == pytest.approx(expected, abs=1e-6)


@given(seeds, sizes, sizes)
def test_more_who_may_lie_near_never_raise_the_scale_of_a_full_ten(
    seed: int, m: int, more: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors, members, others = unit(rng, 4), unit(rng, NEAREST - 1 + m), unit(rng, more)
    before = Cohort(members).scales(vectors)
    after = Cohort(np.concatenate([members, others])).scales(vectors)
    assert (after <= before + 1e-6).all()
