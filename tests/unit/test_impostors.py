"""Nearest impostors on a circle, where every distance is an angle."""

import math

import numpy as np
import pytest

from recognition.distance import FloatArray
from recognition.impostors import BLOCK, FIRST_CAPACITY, NearestImpostors
from recognition.tail import open_set_threshold


def at(degrees: float) -> FloatArray:
    angle = math.radians(degrees)
    return np.array([math.cos(angle), math.sin(angle)], dtype=np.float32)


def apart(*degrees: float) -> list[float]:
    return sorted(1 - math.cos(math.radians(angle)) for angle in degrees)


def add(impostors: NearestImpostors, entry_id: str, identity: str, vector: FloatArray) -> None:
    impostors.extend([entry_id], [identity], vector[None])


def found(impostors: NearestImpostors) -> list[float]:
    distances = impostors.distances()
    assert distances.dtype == np.float32
    return sorted(distances.tolist())


@pytest.fixture
def trail() -> NearestImpostors:
    """The oak seen twice, at 0° and 10°, the pond at 60° and the gate at 150°."""
    impostors = NearestImpostors(2)
    add(impostors, "oak-1", "oak", at(0))
    add(impostors, "oak-2", "oak", at(10))
    add(impostors, "pond-1", "pond", at(60))
    add(impostors, "gate-1", "gate", at(150))
    return impostors


def test_each_entry_finds_the_nearest_of_another_identity(trail: NearestImpostors) -> None:
    assert found(trail) == pytest.approx(apart(60, 50, 50, 90), abs=1e-6)
    assert len(trail) == 4


def test_when_an_entry_goes_those_it_was_nearest_to_look_again(trail: NearestImpostors) -> None:
    trail.remove("pond-1")
    assert found(trail) == pytest.approx(apart(150, 140, 140), abs=1e-6)
    assert "pond-1" not in trail
    assert "oak-1" in trail


def test_an_entry_that_moved_into_a_gap_is_still_missed_when_it_goes() -> None:
    impostors = NearestImpostors(2)
    for name, degrees in (("gap", 170), ("one", 0), ("far", 90), ("near", 10)):
        add(impostors, name, name, at(degrees))
    impostors.remove("gap")
    assert found(impostors) == pytest.approx(apart(10, 10, 80), abs=1e-6)
    impostors.remove("near")
    assert found(impostors) == pytest.approx(apart(90, 90), abs=1e-6)


def test_an_entry_that_is_added_again_moves(trail: NearestImpostors) -> None:
    add(trail, "pond-1", "gate", at(30))
    assert found(trail) == pytest.approx(apart(30, 20, 20, 140), abs=1e-6)
    assert len(trail) == 4


def test_below_two_identities_nobody_has_an_impostor(trail: NearestImpostors) -> None:
    trail.remove("pond-1")
    trail.remove("gate-1")
    assert found(trail) == []
    assert trail.threshold(0.5) is None
    assert NearestImpostors(2).distances().size == 0


def test_the_threshold_is_that_of_the_distances_by_identity(trail: NearestImpostors) -> None:
    # Oak twice, then pond and gate; the value depends on the tail, which has its own tests.
    nearest = [1 - math.cos(math.radians(angle)) for angle in (60, 50, 50, 90)]
    expected = open_set_threshold(nearest, ["oak", "oak", "pond", "gate"], 0.6)
    assert expected is not None
    assert trail.threshold(0.6) == pytest.approx(expected, abs=1e-5)


def test_more_impostors_lower_the_threshold() -> None:
    random = np.random.default_rng(0)
    impostors = NearestImpostors(8)
    taus = []
    for size in (30, 100, 1000):
        for number in range(len(impostors), size):
            vector = random.standard_normal(8).astype(np.float32)
            add(impostors, f"e{number}", f"identity {number}", vector)
        taus.append(impostors.threshold(0.3) or math.nan)
    assert taus[0] > taus[1] > taus[2]


def test_it_grows_beyond_its_first_capacity_and_shrinks_to_nothing() -> None:
    impostors, size = NearestImpostors(2), 3 * FIRST_CAPACITY
    for number in range(size):
        add(impostors, str(number), str(number), at(3 * number))
    assert found(impostors) == pytest.approx(apart(*[3] * size), abs=1e-6)
    for number in range(size):
        impostors.remove(str(number))
    assert len(impostors) == 0


def test_more_entries_than_one_block_lose_their_nearest_at_once() -> None:
    impostors = NearestImpostors(2)
    add(impostors, "far", "far", at(90))
    add(impostors, "near", "near", at(10))
    for number in range(BLOCK + 1):
        add(impostors, str(number), "crowd", at(0))
    assert found(impostors) == pytest.approx(apart(*[10] * (BLOCK + 2), 80), abs=1e-6)
    impostors.remove("near")
    assert found(impostors) == pytest.approx(apart(*[90] * (BLOCK + 2)), abs=1e-6)


def test_removing_what_is_absent_is_a_key_error(trail: NearestImpostors) -> None:
    with pytest.raises(KeyError, match="elm-1"):
        trail.remove("elm-1")
    assert len(trail) == 4


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([1, 2, 3], r"expected vectors of shape \(1, 2\), got \(1, 3\)"),
        ([[1, 2]], r"expected vectors of shape \(1, 2\), got \(1, 1, 2\)"),
        ([1, math.nan], "finite"),
        ([0, 0], "no direction"),
    ],
)
def test_a_bad_vector_changes_nothing(
    trail: NearestImpostors, vector: list[float], message: str
) -> None:
    before = found(trail)
    with pytest.raises(ValueError, match=message):
        add(trail, "pond-1", "pond", np.array(vector, dtype=np.float32))
    assert found(trail) == before


@pytest.mark.parametrize(
    ("ids", "identities"), [(["a", "a"], ["oak", "oak"]), (["a"], ["oak"]), (["a", "b"], ["oak"])]
)
def test_ids_come_once_and_each_with_an_identity_and_a_vector(
    trail: NearestImpostors, ids: list[str], identities: list[str]
) -> None:
    with pytest.raises(ValueError, match="2 different ids, and an identity for each"):
        trail.extend(ids, identities, np.stack([at(20), at(40)]))
    assert len(trail) == 4


def test_there_is_no_space_without_dimensions() -> None:
    with pytest.raises(ValueError, match="dim must be at least 1"):
        NearestImpostors(0)
