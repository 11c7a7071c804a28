"""Embeddings on a circle: clusters, scales and levels whose distances follow from the angles."""

import math

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from recognition.background import Encoder
from recognition.clusters import Clusters
from recognition.conditioning import Cohort, Conditioning, Impostors, Placed, levels_between, place
from recognition.distance import FloatArray
from recognition.statistics import Statistics
from recognition.variable import Kind, Variable
from tests.unit.angles import at_angles

DAY, NIGHT, NOTHING = {"light": "day"}, {"light": "night"}, {"moon": "full"}
ENCODER = Encoder((Variable("light", Kind.NOMINAL, ("day", "night")),))
LIGHT = Clusters(ENCODER, np.eye(2), 0.1, np.array([2, 1]), ("day", "night"))
FLAT = np.ones((2, 2))

# By night everything has moved by (1, 0); of all images together the mean lies at (-1, 0).
MOVED = Statistics(
    np.array([[0, 0], [1, 0]], np.float32),
    np.ones((2, 2), np.float32),
    np.array([100, 100]),
    np.array([-1, 0], np.float32),
    np.ones(2, np.float32),
)


def placed(degrees: list[float], scales: list[float], clusters: list[int]) -> Placed:
    return Placed(at_angles(degrees), np.array(scales, np.float32), np.array(clusters, np.intp))


def conditioning(
    statistics: Statistics | None = None,
    cohort: Cohort | None = None,
    levels: NDArray[np.float64] = FLAT,
) -> Conditioning:
    nobody = Impostors(placed([], [], []), np.empty(0, np.str_))
    return Conditioning(LIGHT, statistics, cohort, levels, nobody)


def degrees_of(vectors: FloatArray) -> ArrayLike:
    return np.rad2deg(np.arctan2(vectors[:, 1], vectors[:, 0]))


def test_an_embedding_is_placed_by_its_background() -> None:
    found = conditioning(MOVED).place(3 * at_angles([90, 90, 90, 0]), [DAY, NIGHT, NOTHING, DAY])
    assert degrees_of(found.vectors) == pytest.approx([90, 135, 45, 0], abs=1e-4)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1)
    assert found.clusters.tolist() == [0, 1, -1, 0]
    assert found.scales.tolist() == [1, 1, 1, 1]
    assert {found.vectors.dtype.name, found.scales.dtype.name} == {"float32"}
    assert len(found) == 4


def test_without_statistics_it_stays_where_it_is() -> None:
    found = conditioning().place(3 * at_angles([90, 90]), [DAY, NIGHT])
    assert degrees_of(found.vectors) == pytest.approx([90, 90])
    assert found.clusters.tolist() == [0, 1]


def test_the_local_scale_is_that_of_the_placed_embedding() -> None:
    cohort = Cohort(at_angles([45] * 20))
    found = conditioning(MOVED, cohort).place(at_angles([90, 90]), [DAY, NIGHT])
    assert found.scales.tolist() == pytest.approx([1 - math.cos(math.pi / 4), 1], abs=1e-6)


def test_the_cohort_may_leave_members_out() -> None:
    cohort = Cohort(at_angles([60, 90]))
    apart = np.array([[True, False]])
    found = place(at_angles([0]), np.array([0]), None, cohort, apart)
    assert found.scales.tolist() == pytest.approx([1])


def test_the_distance_is_over_the_geometric_mean_of_the_scales_and_the_level() -> None:
    levels = np.array([[1.0, 2.0], [4.0, 0.5]])
    probes = placed([0, 0, 0], [0.25, 0.25, 0.25], [0, 1, -1])
    entries = placed([60, 180, 90], [0.16, 0.16, 1.0], [0, 1, -1])
    found = conditioning(levels=levels).distances(probes, entries)
    cosine = np.array([0.5 / 0.2, 2 / 0.2, 1 / 0.5])  # the geometric means are 1/5, 1/5 and 1/2
    level = np.array([[1, 2, 1], [4, 0.5, 1], [1, 1, 1]])  # of no cluster: 1
    assert found.tolist() == [pytest.approx(row) for row in (cosine / level).tolist()]
    assert found.dtype == np.float32


def test_levels_between_clusters_and_none() -> None:
    levels = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = levels_between(levels, np.array([1, -1, 0]), np.array([0, 1, -1]))
    assert found.tolist() == [[3, 4, 1], [1, 1, 1], [1, 2, 1]]


def test_take_by_index_and_by_mask() -> None:
    some = placed([0, 90, 180], [1, 2, 3], [0, 1, -1])
    for which in (np.array([2, 0]), np.array([True, False, True])):
        taken = some.take(which)
        assert sorted(taken.scales.tolist()) == [1, 3]
        assert sorted(taken.clusters.tolist()) == [-1, 0]
        assert len(taken) == len(taken.vectors) == 2


def test_k_is_the_number_of_clusters() -> None:
    assert conditioning().k == 2


def test_there_is_a_background_for_every_embedding() -> None:
    with pytest.raises(ValueError, match="2 embeddings, but 1 backgrounds"):
        conditioning().place(at_angles([0, 1]), [DAY])


@pytest.mark.parametrize("vector", [[0.0, 0.0], [math.nan, 1.0]])
def test_an_embedding_has_a_direction(vector: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no direction|must be finite"):
        conditioning().place(np.array([vector], np.float32), [DAY])
