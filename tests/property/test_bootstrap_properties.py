"""Means without a loop are means with one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.bootstrap import IdentityDraws

values = st.lists(st.floats(-5, 5) | st.just(math.nan), min_size=2, max_size=2)


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), values), min_size=1, max_size=30),
    st.integers(0, 2**31),
)
def test_means(probes: list[tuple[str, list[float]]], seed: int) -> None:
    labels = [label for label, _ in probes]
    table = np.array([row for _, row in probes])
    draws = IdentityDraws(list("abcdef"), draws=8, seed=seed)
    means = draws.means(table, labels)
    assert means.shape == (8, 2)
    for which, row in zip(draws.of(labels), means, strict=True):
        for column, found in enumerate(row):
            drawn = [v for v in table[which, column] if not math.isnan(v)]
            if drawn:
                assert found == pytest.approx(sum(drawn) / len(drawn), abs=1e-9)
            else:
                assert math.isnan(found)
