"""The measures against loops over the definitions, and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from recognition.evaluation import (
    Identified,
    at_threshold,
    auroc,
    average_precision,
    identify,
    rank1,
    tpir_at_fpir,
)

# Few distinct values make ties, which is where a rank goes wrong.
distance = st.integers(0, 6).map(float) | st.floats(0, 10)
probe = st.tuples(distance, st.booleans(), st.booleans())
some = st.lists(probe, min_size=1, max_size=40)


def identified(probes: list[tuple[float, bool, bool]]) -> Identified:
    return Identified(
        np.array([d for d, _, _ in probes]),
        np.array([right and known for _, right, known in probes]),
        np.array([known for _, _, known in probes]),
        np.array(["x"] * len(probes)),
    )


@given(some, distance)
def test_a_threshold_by_counting(probes: list[tuple[float, bool, bool]], tau: float) -> None:
    known = [(d, right) for d, right, is_known in probes if is_known]
    unknown = [d for d, _, is_known in probes if not is_known]
    point = at_threshold(identified(probes), tau)
    if known:
        hits = sum(1 for d, right in known if right and d <= tau)
        assert point.tpir == pytest.approx(hits / len(known))
        assert rank1(identified(probes)) == pytest.approx(
            sum(1 for _, right in known if right) / len(known)
        )
    if unknown:
        assert point.fpir == pytest.approx(sum(1 for d in unknown if d <= tau) / len(unknown))
    assert point.review == pytest.approx(sum(1 for d, _, _ in probes if d > tau) / len(probes))


@given(some, st.integers(0, 99))
def test_no_larger_threshold_keeps_the_fpir(
    probes: list[tuple[float, bool, bool]], percent: int
) -> None:
    found = identified(probes)
    point = tpir_at_fpir(found, percent / 100)
    impostors = sorted(d for d, _, known in probes if not known)
    if not impostors:
        assert math.isnan(point.threshold)
        return
    assert 100 * round(point.fpir * len(impostors)) <= percent * len(impostors)
    larger = float(np.nextafter(point.threshold, math.inf))
    accepted = sum(1 for d in impostors if d <= larger)
    assert 100 * accepted > percent * len(impostors)


@given(some)
def test_auroc_is_that_of_scikit_learn(probes: list[tuple[float, bool, bool]]) -> None:
    found = identified(probes)
    if found.known.all() or not found.known.any():
        assert math.isnan(auroc(found))
    else:
        assert auroc(found) == pytest.approx(roc_auc_score(found.known, -found.distance))


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=12),
    st.lists(st.sampled_from("abcz"), min_size=1, max_size=6),
    st.integers(0, 2**31),
    st.booleans(),
)
def test_identify_and_precision(
    gallery: list[str], probes: list[str], seed: int, tied: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (len(probes), len(gallery))
    matrix = rng.integers(0, 4, shape).astype(float) if tied else rng.random(shape)
    found = identify(matrix, gallery, probes)
    precision = average_precision(matrix, gallery, probes)
    for i, label in enumerate(probes):
        nearest = min(range(len(gallery)), key=lambda j: matrix[i, j])
        assert found.distance[i] == matrix[i, nearest]
        assert found.right[i] == (gallery[nearest] == label)
        assert found.known[i] == (label in gallery)
        relevant = [name == label for name in gallery]
        if any(relevant):
            assert precision[i] == pytest.approx(average_precision_score(relevant, -matrix[i]))
        else:
            assert math.isnan(precision[i])
