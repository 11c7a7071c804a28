"""The distances against SciPy's slow or separate ways to the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.covariance import ledoit_wolf

from recognition.paper_distances import Distance, fit_distance


def vectors(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(6, 6))
    made = (rng.normal(size=(47, 6)) @ mix).astype(np.float32)
    return made[:40], made[40:43], made[43:]


@given(st.integers(0, 2**31))
def test_mahalanobis(seed: int) -> None:
    train, queries, entries = vectors(seed)
    covariance, _ = ledoit_wolf(train.astype(np.float64))
    expected = cdist(queries, entries, "mahalanobis", VI=np.linalg.inv(covariance))
    assert fit_distance(Distance.MAHALANOBIS, train)(queries, entries) == pytest.approx(expected)


@given(st.integers(0, 2**31))
def test_standardised_euclidean(seed: int) -> None:
    train, queries, entries = vectors(seed)
    variances = train.astype(np.float64).var(axis=0, ddof=1)
    expected = cdist(queries, entries, "seuclidean", V=variances)
    found = fit_distance(Distance.STANDARDISED_EUCLIDEAN, train)(queries, entries)
    assert found == pytest.approx(expected)


@given(st.integers(0, 2**31))
def test_spearman(seed: int) -> None:
    train, queries, entries = vectors(seed)
    expected = [[1 - spearmanr(q, e).statistic for e in entries] for q in queries]
    assert fit_distance(Distance.SPEARMAN, train)(queries, entries) == pytest.approx(
        np.array(expected)
    )


@given(st.integers(0, 2**31))
def test_hamming_and_jaccard(seed: int) -> None:
    train, queries, entries = vectors(seed)
    middle = np.median(train.astype(np.float64), axis=0)
    hamming = fit_distance(Distance.HAMMING, train)(queries, entries)
    jaccard = fit_distance(Distance.JACCARD, train)(queries, entries)
    for i, query in enumerate(queries):
        for j, entry in enumerate(entries):
            one = {k for k in range(6) if query[k] > middle[k]}
            other = {k for k in range(6) if entry[k] > middle[k]}
            assert hamming[i, j] == pytest.approx(len(one ^ other) / 6)
            both = len(one | other)
            assert jaccard[i, j] == pytest.approx(len(one ^ other) / both if both else 0)
