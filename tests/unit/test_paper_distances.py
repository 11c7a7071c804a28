import numpy as np
import pytest

from recognition.paper_distances import FITTED, Distance, fit_distance

TRAIN = np.array([[0, 0, 0], [2, 4, 0], [4, 8, 0], [6, 4, 0]], dtype=np.float32)
ONE, OTHER = np.array([[[1, 2, 3]], [[4, -2, 3]]], dtype=np.float32)

BY_HAND = {
    Distance.EUCLIDEAN: 5,
    Distance.SQUARED_EUCLIDEAN: 25,
    Distance.MANHATTAN: 7,
    Distance.CHEBYSHEV: 4,
    Distance.MINKOWSKI: (27 + 64) ** (1 / 3),
    Distance.DOT: 1 - 9,
    Distance.COSINE: 1 - 9 / (14 * 29) ** 0.5,
    # Less their means: (-1, 0, 1) and (7, -11, 4)/3.
    Distance.CORRELATION: 1 - (-3 / 3) / (2 * 186 / 9) ** 0.5,
    # Ranks (1, 2, 3) and (3, 1, 2), less their means (-1, 0, 1) and (1, -1, 0).
    Distance.SPEARMAN: 1 + 1 / 2,
    # Against the medians (3, 4, 0): (no, no, yes) and (yes, no, yes).
    Distance.HAMMING: 1 / 3,
    Distance.JACCARD: 1 / 2,
    # Variances 20/3, 32/3 and 0: the last says nothing.
    Distance.STANDARDISED_EUCLIDEAN: (9 / (20 / 3) + 16 / (32 / 3)) ** 0.5,
}


@pytest.mark.parametrize("distance", BY_HAND)
def test_by_hand(distance: Distance) -> None:
    compare = fit_distance(distance, TRAIN)
    assert compare(ONE, OTHER) == pytest.approx(BY_HAND[distance], rel=1e-6)


@pytest.mark.parametrize("distance", Distance)
def test_smaller_is_closer(distance: Distance) -> None:
    rng = np.random.default_rng(0)
    train = rng.normal(size=(50, 8)).astype(np.float32)
    near = train[:1] + np.float32(0.05)
    far = -train[:1]
    to_near, to_far = fit_distance(distance, train)(train[:1], np.concatenate([near, far]))[0]
    assert to_near < to_far


def test_each_is_either_by_hand_or_checked_against_scipy() -> None:
    assert set(Distance) - set(BY_HAND) == {Distance.MAHALANOBIS}


@pytest.mark.parametrize("distance", sorted(FITTED))
def test_some_need_a_train_part(distance: Distance) -> None:
    with pytest.raises(ValueError, match=r"train part, which has 1; without it use one of cosine,"):
        fit_distance(distance, TRAIN[:1])


def test_the_others_need_none() -> None:
    for distance in set(Distance) - FITTED:
        assert fit_distance(distance, TRAIN[:0])(ONE, OTHER).shape == (1, 1)


def test_where_a_distance_is_not_defined() -> None:
    constant = np.ones((1, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="correlation distance is not defined"):
        fit_distance(Distance.CORRELATION, TRAIN)(constant, ONE)
    with pytest.raises(ValueError, match="no direction"):
        fit_distance(Distance.COSINE, TRAIN)(0 * constant, ONE)


def test_those_of_close_and_long_vectors_do_not_cancel() -> None:
    vectors = np.array([[1000, 0], [1000, 0.001]], dtype=np.float32)
    apart = fit_distance(Distance.EUCLIDEAN, TRAIN)(vectors[:1], vectors)[0]
    assert apart == pytest.approx([0, 0.001], rel=1e-3)
