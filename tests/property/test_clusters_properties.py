"""Clusters against planted groups, and against their definitions one background at a time."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.background import Encoder
from recognition.clusters import Clusters, fit_clusters
from recognition.variable import Kind, Variable
from tests.property.examples import examples

Background = dict[str, object]

PLACES = Variable("place", Kind.NOMINAL, ("barn", "field", "yard"))
HOUR = Variable("hour", Kind.CYCLIC, period=24, weight=0.7)
GAIN = Variable("gain", Kind.CONTINUOUS, spread=1.5, weight=2)
ENCODER = Encoder((PLACES, HOUR, GAIN))

values: dict[str, st.SearchStrategy[object]] = {
    "place": st.sampled_from(PLACES.values),
    "hour": st.integers(0, 23),
    "gain": st.integers(-6, 6).map(lambda gain: gain / 2),
}
partial = st.fixed_dictionaries({}, optional=values)
samples = st.lists(partial, min_size=1, max_size=25)
fits = st.tuples(samples, st.integers(2, 5), st.integers(1, 4), st.integers(0, 3))
Fit = tuple[list[Background], int, int, int]


def fitted(fit: Fit) -> Clusters:
    backgrounds, k, smallest, seed = fit
    return fit_clusters(ENCODER, backgrounds, k, smallest=smallest, seed=seed)


def to_centres(background: Background, clusters: Clusters) -> list[float]:
    """Return Gower's distances to the centres: the features written out, the rest by loops."""
    parts: list[tuple[slice, list[float], float]] = []
    if "place" in background:
        one_hot = [float(background["place"] == name) for name in PLACES.values]
        parts.append((slice(0, 3), one_hot, 1.0))
    if "hour" in background:
        angle = float(str(background["hour"])) * math.pi / 12
        cycle = [math.sin(angle) * math.sqrt(0.7), math.cos(angle) * math.sqrt(0.7)]
        parts.append((slice(3, 5), cycle, 0.7))
    if "gain" in background:
        parts.append((slice(5, 6), [float(str(background["gain"])) * math.sqrt(2) / 1.5], 2.0))
    weight = sum(part[2] for part in parts)
    return [
        math.sqrt(sum(math.dist(x, centre[at]) ** 2 for at, x, _ in parts) / weight)
        for centre in clusters.centres.tolist()
    ]


@given(fits)
def test_sizes_are_bounded_and_descending_and_count_everyone(fit: Fit) -> None:
    clusters = fitted(fit)
    backgrounds, k, smallest, _ = fit
    sizes = clusters.sizes.tolist()
    assert 1 <= len(sizes) <= k
    assert sizes == sorted(sizes, reverse=True)
    if len(sizes) > 1:
        assert min(sizes) >= smallest
        assert sum(sizes) == sum(bool(background) for background in backgrounds)
        counted = clusters.assign([background for background in backgrounds if background])
        assert np.bincount(counted.cluster, minlength=len(sizes)).tolist() == sizes
    else:
        assert sizes == [len(backgrounds)]


@given(fits)
def test_a_centre_is_the_mean_of_what_its_own_have(fit: Fit) -> None:
    clusters = fitted(fit)
    if len(clusters) == 1:
        return
    encoded = ENCODER.encode(fit[0])
    cluster = clusters.assign(fit[0]).cluster
    owner = [0, 0, 0, 1, 1, 2]
    for number, centre in enumerate(clusters.centres):
        for feature, variable in enumerate(owner):
            has = encoded.present[:, variable]
            own = encoded.features[has & (cluster == number), feature].tolist()
            if not own:  # nobody in the cluster has it: then it is everyone's
                own = encoded.features[has, feature].tolist()
            expected = math.fsum(own) / len(own) if own else 0
            assert centre[feature] == pytest.approx(expected, abs=1e-9)


@given(fits, st.lists(partial, max_size=5))
def test_the_nearest_centre_is_assigned(fit: Fit, more: list[Background]) -> None:
    clusters = fitted(fit)
    assigned = clusters.assign(more)
    for row, background in enumerate(more):
        if len(clusters) == 1 or not background:
            assert assigned.cluster[row] == (0 if len(clusters) == 1 else -1)
            assert assigned.membership[row].tolist() == [1 / len(clusters)] * len(clusters)
            continue
        distances = to_centres(background, clusters)
        assert distances[assigned.cluster[row]] == pytest.approx(min(distances), abs=1e-9)
        weights = {"place": 1, "hour": 0.7, "gain": 2}
        known = sum(weights[name] for name in background) / 3.7
        assert assigned.known[row] == pytest.approx(known)
        density = [
            math.exp(-3 * known * (d**2 - min(distances) ** 2) / (2 * clusters.spread**2))
            for d in distances
        ]
        expected = [one / sum(density) for one in density]
        # Over a tiny spread, the last digit of a squared distance weighs.
        rounding = max(1e-6, 1e-13 / clusters.spread**2)
        assert assigned.membership[row].tolist() == pytest.approx(expected, abs=rounding)


@given(fits)
def test_the_spread_is_the_root_mean_squared_distance(fit: Fit) -> None:
    clusters = fitted(fit)
    if len(clusters) > 1:
        nearest = [
            min(to_centres(background, clusters)) ** 2 for background in fit[0] if background
        ]
        expected = math.sqrt(math.fsum(nearest) / len(nearest))
        assert clusters.spread == pytest.approx(max(expected, 1e-6), abs=1e-7)


@given(fits)
def test_one_background_is_assigned_as_it_is_among_many(fit: Fit) -> None:
    clusters = fitted(fit)
    together = clusters.assign(fit[0])
    for row, background in enumerate(fit[0]):
        alone = clusters.assign([background])
        assert alone.membership[0] == pytest.approx(together.membership[row], abs=1e-12)
        assert alone.cluster[0] == together.cluster[row]


@given(fits)
def test_a_seed_gives_the_same_clusters_again(fit: Fit) -> None:
    one, again = fitted(fit), fitted(fit)
    assert np.array_equal(one.centres, again.centres)
    assert (one.descriptions, one.spread) == (again.descriptions, again.spread)


@given(fits)
def test_every_cluster_is_described_with_its_size(fit: Fit) -> None:
    clusters = fitted(fit)
    for words, size in zip(clusters.descriptions, clusters.sizes.tolist(), strict=True):
        assert re.fullmatch(rf"\S.*: {size:,} images?", words)


planted = st.tuples(
    st.lists(st.integers(3, 12), min_size=2, max_size=4),  # sizes
    st.integers(0, 2**31),
    st.floats(0, 0.4),  # share of the values that are missing
)


@examples(50)
@given(planted)
def test_groups_that_lie_well_apart_are_recovered(plan: tuple[list[int], int, float]) -> None:
    sizes, seed, missing = plan
    rng = np.random.default_rng(seed)
    backgrounds: list[Background] = []
    for group, size in enumerate(sizes):
        for _ in range(size):
            # What a row that lacks its name belongs to can be open, where others lack the rest.
            background: Background = {"name": f"group{group}"}
            if rng.uniform() >= missing:
                background["hour"] = 24 * group / len(sizes) + rng.uniform(-0.5, 0.5)
            if rng.uniform() >= missing:
                background["gain"] = 2 * group - 3 + rng.uniform(-0.1, 0.1)
            backgrounds.append(background)
    names = Variable("name", Kind.NOMINAL, tuple(f"group{group}" for group in range(len(sizes))))
    encoder = Encoder((names, HOUR, Variable("gain", Kind.CONTINUOUS)))
    cluster = fit_clusters(encoder, backgrounds, len(sizes), smallest=1).assign(backgrounds).cluster
    truth = np.repeat(np.arange(len(sizes)), sizes)
    pairs = {(int(true), int(found)) for true, found in zip(truth, cluster, strict=True)}
    assert len(pairs) == len(sizes) == len({found for _, found in pairs})


def test_membership_is_the_posterior_of_planted_normal_clusters() -> None:
    rng = np.random.default_rng(0)
    centres, sigma = np.array([[-2.0, 0, 0], [2, 0, 0], [0, 2.5, 0]]), 0.7
    points = np.concatenate([centre + sigma * rng.normal(size=(4000, 3)) for centre in centres])
    wide = Encoder(tuple(Variable(name, Kind.CONTINUOUS, spread=1, scale=9) for name in "xyz"))
    backgrounds = [dict(zip("xyz", map(float, point), strict=True)) for point in points]
    clusters = fit_clusters(wide, backgrounds, 3)
    near = np.abs(rng.normal(size=(50, 3))) * 1.5
    squared = ((near[:, None] - 9 * clusters.centres) ** 2).sum(axis=2)
    density = np.exp(-squared / (2 * sigma**2))
    found = clusters.assign([dict(zip("xyz", map(float, one), strict=True)) for one in near])
    expected = density / density.sum(axis=1, keepdims=True)
    assert found.membership == pytest.approx(expected, abs=0.06)
