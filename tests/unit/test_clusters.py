"""Clusters of backgrounds whose groups are plain to see."""

import math

import numpy as np
import pytest
from sklearn.cluster import KMeans

from recognition import clusters as kmeans
from recognition.background import Background, Encoder
from recognition.clusters import Clusters, everything, fit_clusters
from recognition.fitted_variable import fit_variable
from recognition.variable import Kind, Variable

HOUR = Variable("hour", Kind.CYCLIC, period=24)
PLACE = Variable("place", Kind.CONTINUOUS)
ENCODER = Encoder((PLACE, HOUR))
TWO = Clusters(
    Encoder((PLACE,)),
    np.array([[-1.0], [1.0]]),
    0.5,
    np.array([2, 1]),
    ("left: 2 images", "right: 1 image"),
)


def light(day: int, night: int, dusk: int = 0) -> tuple[Encoder, list[Background]]:
    backgrounds: list[Background] = [{"light": "day", "hour": 10 + i % 5} for i in range(day)]
    backgrounds += [{"light": "night", "hour": 22 + i % 5} for i in range(night)]
    backgrounds += [{"light": "dusk", "hour": 16} for i in range(dusk)]
    names = fit_variable("light", [background["light"] for background in backgrounds])
    return Encoder((names, HOUR)), backgrounds


def test_groups_are_found_and_the_largest_is_first() -> None:
    encoder, backgrounds = light(30, 50)
    clusters = fit_clusters(encoder, backgrounds, 2)
    assert clusters.sizes.tolist() == [50, 30]
    assert clusters.descriptions == (
        "night, hour 22 to 2: 50 images",
        "day, hour 10 to 14: 30 images",
    )
    assigned = clusters.assign(backgrounds)
    assert assigned.cluster.tolist() == [1] * 30 + [0] * 50
    assert assigned.cluster.dtype == np.intp
    assert assigned.known.tolist() == [1] * 80


def test_a_cluster_that_is_too_small_goes_to_the_nearest() -> None:
    encoder, backgrounds = light(30, 50, 19)
    clusters = fit_clusters(encoder, backgrounds, 3)
    assert clusters.sizes.tolist() == [50, 49]
    at = clusters.assign([{"light": "dusk", "hour": 16}, backgrounds[0]]).cluster
    assert at[0] == at[1]
    assert len(fit_clusters(encoder, backgrounds, 3, smallest=19)) == 3


def test_one_cluster_that_is_left_is_everything() -> None:
    encoder, backgrounds = light(19, 19)
    for clusters in (
        fit_clusters(encoder, backgrounds, 2, smallest=20),
        fit_clusters(encoder, backgrounds, 1),
        everything(38, encoder),
    ):
        assert clusters.sizes.tolist() == [38]
        assert clusters.descriptions == ("everything: 38 images",)
        assert clusters.centres.tolist() == [[0, 0, 0]]
        assert clusters.spread == 1
        assigned = clusters.assign([{}, *backgrounds])
        assert assigned.cluster.tolist() == [0] * 39
        assert assigned.membership.tolist() == [[1]] * 39
        assert assigned.known.tolist() == [0] + [1] * 38


def test_backgrounds_that_tell_nothing_take_no_part() -> None:
    encoder, backgrounds = light(30, 50)
    clusters = fit_clusters(encoder, [{}, *backgrounds, {"light": "?", "hour": ""}], 2)
    assert clusters.sizes.tolist() == [50, 30]
    assert fit_clusters(encoder, [{}, {}], 2).descriptions == ("everything: 2 images",)
    assert fit_clusters(encoder, [], 2).descriptions == ("everything: 0 images",)
    assert len(fit_clusters(Encoder(()), backgrounds, 2)) == 1


def test_more_clusters_than_different_backgrounds_are_not_made() -> None:
    encoder, backgrounds = light(30, 50)
    assert len(fit_clusters(encoder, backgrounds, 99, smallest=1)) == 10
    exact = fit_clusters(encoder, backgrounds, 99, smallest=1)
    assert exact.spread == pytest.approx(1e-6)
    assert exact.assign(backgrounds).membership.max(axis=1) == pytest.approx(1)


def test_a_background_of_which_nothing_is_known_belongs_to_all_alike() -> None:
    assigned = TWO.assign([{}, {"place": "?"}, {"place": 3}])
    assert assigned.cluster.tolist() == [-1, -1, 1]
    assert assigned.membership[:2].tolist() == [[0.5, 0.5]] * 2
    assert assigned.known.tolist() == [0, 0, 1]


def test_membership_falls_with_the_squared_distance() -> None:
    # From 0.25 to the centres: 1.25 and 0.75, so exp(−(1.25² − 0.75²) / (2·0.5²)) = exp(−2).
    membership = TWO.assign([{"place": 0}, {"place": 0.25}, {"place": -99}]).membership
    right = 1 / (1 + math.exp(-2))
    assert membership == pytest.approx(
        np.array([[0.5, 0.5], [1 - right, right], [1, 0]]), abs=1e-10
    )


def test_nothing_is_assigned_to_nothing() -> None:
    assigned = TWO.assign([])
    assert (assigned.cluster.shape, assigned.membership.shape) == ((0,), (0, 2))


def test_what_is_missing_does_not_sharpen() -> None:
    clusters = Clusters(
        Encoder((PLACE, Variable("height", Kind.CONTINUOUS))),
        np.array([[-1.0, -1.0], [1.0, 1.0]]),
        0.5,
        np.array([1, 1]),
        ("a", "b"),
    )
    half, whole = clusters.assign([{"place": 0.25}, {"place": 0.25, "height": 0.25}]).membership
    assert half[1] == pytest.approx(1 / (1 + math.exp(-2)))
    assert whole[1] == pytest.approx(1 / (1 + math.exp(-4)))


def test_clusters_are_as_tight_as_those_of_another_library() -> None:
    rng = np.random.default_rng(0)
    backgrounds: list[Background] = [
        {"place": float(place), "hour": float(hour)}
        for place, hour in zip(rng.normal(0, 1, 300), rng.uniform(0, 24, 300), strict=True)
    ]
    rows = ENCODER.encode(backgrounds).features
    theirs = KMeans(6, n_init=10, random_state=0).fit(rows).inertia_
    clusters = fit_clusters(ENCODER, backgrounds, 6, smallest=1)
    assert clusters.spread**2 * 300 * 2 <= theirs * 1.03  # of two variables that weigh the same


def test_where_it_does_not_settle_sizes_are_still_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kmeans, "MAX_ROUNDS", 1)
    rng = np.random.default_rng(0)
    backgrounds: list[Background] = [{"place": float(place)} for place in rng.normal(0, 1, 300)]
    clusters = fit_clusters(ENCODER, backgrounds, 5)
    counts = np.bincount(clusters.assign(backgrounds).cluster)
    assert clusters.sizes.tolist() == counts.tolist()
    assert counts.min() >= 20


def test_the_bounds_are_at_least_one() -> None:
    for k, smallest in ((0, 20), (2, 0)):
        with pytest.raises(ValueError, match="k and smallest must be at least 1"):
            fit_clusters(ENCODER, [], k, smallest=smallest)


def test_clusters_that_contradict_themselves_are_refused() -> None:
    centres, sizes = np.zeros((1, 3)), np.array([1])
    for bad in (
        (centres, 1.0, sizes, ()),
        (centres, 1.0, np.array([1, 2]), ("a",)),
        (np.zeros((1, 2)), 1.0, sizes, ("a",)),
    ):
        with pytest.raises(ValueError, match="expected a size and a centre of 3 columns for each"):
            Clusters(ENCODER, *bad)
    for spread in (0.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="spread must be positive and finite"):
            Clusters(ENCODER, centres, spread, sizes, ("a",))
