"""Clusters whose strangers lie twice as far, planted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.cluster_tails import cluster_scales, fit_cluster_tails
from recognition.tail import fit_tail

Float32 = NDArray[np.float32]
Codes = NDArray[np.intp]


def population(
    identities: int, factors: list[float], seed: int = 0
) -> tuple[Float32, NDArray[np.str_], Codes]:
    """Return images of every identity in every cluster, each the farther by its factor."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(identities), 10)
    nearest, clusters = [], []
    for cluster, factor in enumerate(factors):
        means = 1 + 0.1 * rng.normal(size=identities)
        nearest.append(factor * (means[who] + 0.1 * rng.normal(size=who.size)))
        clusters.append(np.full(who.size, cluster))
    names = np.tile(who, len(factors)).astype(np.str_)
    return np.concatenate(nearest).astype(np.float32), names, np.concatenate(clusters)


def test_where_strangers_lie_twice_as_far_the_threshold_is_twice_as_large() -> None:
    tails = fit_cluster_tails(*population(400, [1.0, 2.0]), 2)
    assert tails is not None
    near, far, _ = tails.thresholds(0.05)
    assert far / near == pytest.approx(2, rel=0.03)


def test_each_cluster_keeps_the_fpir() -> None:
    factors = [1.0, 2.0, 1.5]
    tails = fit_cluster_tails(*population(100, factors), 3)
    assert tails is not None
    new, _, clusters = population(1000, factors, seed=1)
    for fpir in (0.05, 0.01):
        accepted = new <= tails.thresholds(fpir)[clusters]
        for cluster in range(3):
            assert 0.5 * fpir < accepted[clusters == cluster].mean() < 1.6 * fpir
        one = fit_tail(*population(100, factors)[:2])
        assert one is not None
        # A threshold for all would accept nobody where strangers lie far.
        assert (new <= one.threshold(fpir))[clusters == 1].mean() < 0.1 * fpir


@pytest.mark.parametrize("in_no_cluster", [False, True])
def test_one_cluster_is_the_plain_tail(in_no_cluster: bool) -> None:
    nearest, names, clusters = population(20, [1.0])
    if in_no_cluster:
        clusters[::3] = -1
    tails, plain = fit_cluster_tails(nearest, names, clusters, 1), fit_tail(nearest, names)
    assert tails is not None
    assert plain is not None
    threshold = plain.threshold(0.05)
    assert tails.thresholds(0.05).tolist() == [threshold, threshold]
    assert tails.interval(0.05, strangers=9) == plain.interval(threshold, strangers=9)


@pytest.mark.parametrize(("shown", "weight"), [(3, 0), (4, 4 / 6), (10, 10 / 12), (38, 38 / 40)])
def test_a_thin_cluster_is_drawn_toward_one(shown: int, weight: float) -> None:
    """Everyone lies 1 away, but for a few images in the second cluster at 3."""
    names = np.array([f"id{i}" for i in range(40)] * 30)
    nearest, clusters = np.ones(1200, np.float32), np.zeros(1200, np.intp)
    nearest[:shown], clusters[:shown] = 3, 1
    scales = cluster_scales(nearest, names, clusters, 2)
    assert scales.tolist() == pytest.approx([1, 1 + weight * 2, 1])


def test_a_scale_is_told_by_the_nearest_tenth() -> None:
    """By night most lie far, but three images in ten nearer than any by day."""
    names = np.array([f"id{i % 20}" for i in range(400)])
    clusters = np.repeat(np.array([0, 1], np.intp), 200)
    nearest = np.array([1.0] * 200 + [0.5] * 60 + [2.0] * 140, np.float32)
    scales = cluster_scales(nearest, names, clusters, 2)
    assert scales.tolist() == pytest.approx([(20 * 2 + 2) / 22, 1, 1])


def test_a_cluster_that_nobody_shows_and_none_have_the_scale_of_all() -> None:
    nearest, names, clusters = population(40, [1.0, 2.0])
    scales = cluster_scales(nearest, names, clusters, 3)
    assert scales[0] < 1 < scales[1]
    assert scales[2:].tolist() == [1, 1]
    clusters[clusters == 1] = -1
    tails = fit_cluster_tails(nearest, names, clusters, 2)
    assert tails is not None
    assert tails.scales[1:].tolist() == [1, 1]
    assert tails.tail.values.max() == nearest.max()  # which are as they came


def test_an_identity_of_many_images_weighs_no_more_than_others() -> None:
    nearest, names, clusters = population(10, [1.0, 2.0])
    often = np.concatenate([np.arange(len(nearest)), np.flatnonzero(names == "3").repeat(20)])
    scales = cluster_scales(nearest, names, clusters, 2)
    again = cluster_scales(nearest[often], names[often], clusters[often], 2)
    assert again.tolist() == pytest.approx(scales.tolist())


def test_strangers_that_are_copies_of_entries_leave_the_scales_alone() -> None:
    names = np.array(list("abcde") * 20)
    nearest = np.zeros(100, np.float32)
    clusters = np.arange(100, dtype=np.intp) % 2
    assert cluster_scales(nearest, names, clusters, 2).tolist() == [1, 1, 1]
    assert fit_cluster_tails(nearest, names, clusters, 2) is None


def test_without_strangers_there_are_no_tails() -> None:
    nobody = np.empty(0, np.float32), np.empty(0, np.str_), np.empty(0, np.intp)
    assert cluster_scales(*nobody, 2).tolist() == [1, 1, 1]
    assert fit_cluster_tails(*nobody, 2) is None
