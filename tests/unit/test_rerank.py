"""Conditioned distances of neighbours, by numbers that one can do in the head."""

import numpy as np
import pytest

from recognition.cluster import NO_CLUSTER
from recognition.conditioning import Placed, conditioned
from recognition.decision import Neighbour
from recognition.match import rerank

LEVELS = {"c0": 1.0, "c1": 2.0}


def near(entry_id: str, distance: float, cluster: str = "c0", scale: float = 1.0) -> Neighbour:
    return Neighbour(entry_id, entry_id, distance, cluster, scale)


def test_without_scales_and_levels_nothing_changes() -> None:
    found = [near("a", 0.3), near("b", 0.1), near("c", 0.2)]
    ranked = rerank(found, 1.0, lambda _: 1.0, 3)
    assert ranked == (found[1], found[2], found[0])


def test_distances_are_taken_over_both_scales_and_the_level() -> None:
    (one,) = rerank([near("a", 0.6, "c1", scale=0.25)], 0.36, LEVELS.__getitem__, 1)
    assert one.distance == pytest.approx(0.6 / (0.5 * 0.6 * 2))
    assert (one.entry_id, one.cluster, one.scale) == ("a", "c1", 0.25)


def test_the_order_follows_the_conditioned_distance() -> None:
    found = [near("a", 0.2), near("b", 0.3, "c1"), near("c", 0.25, scale=4.0)]
    ranked = rerank(found, 1.0, LEVELS.__getitem__, 2)
    assert [(n.entry_id, n.distance) for n in ranked] == [("c", 0.125), ("b", 0.15)]


def test_ties_go_by_entry_id_and_fewer_than_k_are_all_kept() -> None:
    ranked = rerank([near("b", 0.5), near("a", 0.5)], 1.0, lambda _: 1.0, 10)
    assert [n.entry_id for n in ranked] == ["a", "b"]
    assert rerank([], 1.0, lambda _: 1.0, 10) == ()


def test_it_is_the_distance_of_the_conditioning() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clusters = np.array([1, 0, 1, NO_CLUSTER, 0, 1])
    placed = Placed(vectors, rng.uniform(0.2, 2, 6).astype(np.float32), clusters)
    levels = np.array([[1.0, 1.5], [0.7, 0.9]])
    expected = conditioned(placed.take(np.array([0])), placed.take(np.arange(1, 6)), levels)[0]
    names = {str(c): 1.0 if c == NO_CLUSTER else float(levels[1, c]) for c in (0, 1, NO_CLUSTER)}
    found = [
        near(str(i), float(1 - vectors[0] @ vectors[i]), str(clusters[i]), float(placed.scales[i]))
        for i in range(1, 6)
    ]
    ranked = {n.entry_id: n.distance for n in rerank(found, placed.scales[0], names.__getitem__, 5)}
    assert [ranked[str(i)] for i in range(1, 6)] == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize(("scale", "own", "level"), [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_scales_and_levels_are_positive(scale: float, own: float, level: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        rerank([near("a", 0.1, scale=own)], scale, lambda _: level, 1)


def test_k_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        rerank([], 1.0, lambda _: 1.0, 0)
