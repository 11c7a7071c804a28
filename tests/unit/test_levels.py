"""Levels of planted distances: within a cluster, and from one to the other, all are equal."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition import fit as module
from recognition.conditioning import Placed
from recognition.fit import fit_levels
from tests.unit.placements import placed

NEAR, FAR = 0.2, 0.6
ACROSS = 1 - math.sqrt((1 - NEAR) * (1 - FAR)) / 2  # the common directions lie 60° apart


def planted(near: int, far: int, images: int = 1) -> tuple[Placed, NDArray[np.str_]]:
    """Return identities in two clusters: two of one are ``NEAR`` or ``FAR``, of both ``ACROSS``.

    What is common to a cluster and what is an identity's own are directions at right angles.
    """
    vectors = np.zeros((near + far, 2 + near + far))
    for row in range(near + far):
        spread = NEAR if row < near else FAR
        common = (1, 0) if row < near else (0.5, math.sqrt(0.75))
        vectors[row, :2] = math.sqrt(1 - spread) * np.array(common)
        vectors[row, 2 + row] = math.sqrt(spread)
    every = np.repeat(np.arange(near + far), images)
    clusters = (every >= near).astype(np.intp)
    names = np.array([f"id{i}" for i in every], np.str_)
    return Placed(
        vectors[every].astype(np.float32), np.ones(len(every), np.float32), clusters
    ), names


def drawn(value: float, identities: int) -> float:
    """Return what is left of a level that so many identities show."""
    return 1 + (value - 1) * identities / (identities + 2)


@pytest.mark.parametrize("images", [1, 3])
def test_a_level_says_how_near_strangers_come_beside_all(images: int) -> None:
    found = fit_levels(*planted(20, 30, images), 2)
    # The nearest hundredth of all pairs are of the near cluster. Images of one identity do not
    # count: they lie at 0.
    assert found[0, 0] == pytest.approx(1, abs=1e-5)
    assert found[1, 1] == pytest.approx(drawn(FAR / NEAR, 30), abs=1e-5)
    assert found[0, 1] == found[1, 0] == pytest.approx(drawn(ACROSS / NEAR, 20), abs=1e-5)


def test_distances_over_their_level_are_comparable() -> None:
    placed, names = planted(400, 400)
    levels = fit_levels(placed, names, 2)
    assert FAR / levels[1, 1] == pytest.approx(NEAR, rel=0.02)
    assert ACROSS / levels[0, 1] == pytest.approx(NEAR, rel=0.02)


def test_the_rarer_of_the_two_clusters_decides_how_much_a_level_counts() -> None:
    found = fit_levels(*planted(40, 3), 2)
    assert found[1, 1] == pytest.approx(drawn(FAR / NEAR, 3), abs=1e-5)
    assert found[1, 0] == pytest.approx(drawn(ACROSS / NEAR, 3), abs=1e-5)


def test_the_local_scales_have_been_taken_out_before() -> None:
    same, names = planted(20, 30)
    scales = np.where(same.clusters == 0, NEAR, FAR).astype(np.float32)
    found = fit_levels(Placed(same.vectors, scales, same.clusters), names, 2)
    assert found[0, 0] == pytest.approx(found[1, 1], abs=1e-5) == pytest.approx(1, abs=1e-5)
    assert found[0, 1] == pytest.approx(drawn(ACROSS / math.sqrt(NEAR * FAR), 20), abs=1e-5)


@pytest.mark.parametrize(("copies", "expected"), [(6, 1 - 6 / 8), (30, 0.1)])
def test_no_level_blows_distances_up_by_more_than_ten(copies: int, expected: float) -> None:
    """Strangers in one cluster are all alike, and in the other they have nothing in common."""
    vectors = np.eye(400 + copies, 401)
    vectors[400:, 400] = 1
    clusters = np.repeat(np.array([1, 0]), [400, copies]).astype(np.intp)
    names = np.array([f"id{i}" for i in range(400 + copies)])
    ones = np.ones(len(names), np.float32)
    found = fit_levels(Placed(vectors.astype(np.float32), ones, clusters), names, 2)
    assert found.tolist() == [[pytest.approx(expected), 1], [1, 1]]


def test_images_in_no_cluster_play_no_part() -> None:
    both, names = planted(20, 30)
    expected = fit_levels(both, names, 2)
    strays = Placed(both.vectors, both.scales, np.full(50, -1, np.intp))
    joined = Placed(
        *(
            np.concatenate([getattr(part, field) for part in (both, strays)])
            for field in ("vectors", "scales", "clusters")
        )
    )
    assert fit_levels(joined, np.concatenate([names, names]), 2).tolist() == expected.tolist()


def test_clusters_without_strangers_have_a_level_of_one() -> None:
    both, names = planted(20, 30)
    assert fit_levels(both, names, 3)[2].tolist() == [1, 1, 1]
    assert fit_levels(both.take(np.arange(1)), names[:1], 2).tolist() == [[1, 1], [1, 1]]
    assert fit_levels(both.take(np.arange(0)), names[:0], 2).tolist() == [[1, 1], [1, 1]]


def test_strangers_that_are_all_alike_have_a_level_of_one() -> None:
    alike = Placed(np.ones((40, 1), np.float32), np.ones(40, np.float32), np.arange(40) % 2)
    names = np.array([f"id{i}" for i in range(40)])
    assert fit_levels(alike, names, 2).tolist() == [[1, 1], [1, 1]]


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    some, names = placed(rng, 60, 3), rng.integers(0, 20, 60).astype(np.str_)
    whole = fit_levels(some, names, 3)
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert fit_levels(some, names, 3) == pytest.approx(whole, abs=1e-5)
