"""Directions of background variables in planted embeddings."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.event import Scalar
from schemas.variables import Variable as Kind
from tests.unit.skill import skill
from workers.training.directions import ACCURACY, Direction, find_direction
from workers.training.tasks import parse_task
from workers.training.variables import fit_variable

Array = NDArray[np.float64]

IMAGES, DIMENSIONS, IDENTITIES = 400, 16, 20
RNG = np.random.default_rng(0)
LABELS = np.arange(IMAGES) % IDENTITIES
AXES: Array = np.linalg.qr(RNG.normal(size=(DIMENSIONS, DIMENSIONS)))[0]
# Each identity has a place of its own, without part in the first three axes.
PLACES: Array = RNG.normal(size=(IDENTITIES, DIMENSIONS - 3)) @ AXES[3:]


def planted(along: Array, noise: float = 0.02) -> Array:
    """Embeddings whose parts along the first axes are ``along``, (n, 1 to 3)."""
    rest = PLACES[LABELS] + noise * np.random.default_rng(1).normal(size=(IMAGES, DIMENSIONS))
    found: Array = along @ AXES[: along.shape[1]] + rest
    return found


def kind_of(text: str) -> Kind | None:
    return parse_task(f"x:{text}").kind


def find(values: list[Scalar], kind: str | None, embeddings: Array) -> Direction:
    variable = fit_variable("x", values, None if kind is None else kind_of(kind))
    codes = [variable.encode(value) for value in values]
    direction = find_direction(embeddings, LABELS, codes, variable)
    assert direction is not None
    assert direction.vectors.dtype == np.float32
    lengths = np.linalg.norm(direction.vectors, axis=1)
    assert lengths == pytest.approx(np.ones(len(direction.names)), rel=1e-6)
    return direction


def test_a_number_that_is_a_direction() -> None:
    values = RNG.uniform(-30, 10, IMAGES)
    found = find(values.tolist(), "continuous", planted(values[:, None] / 20))
    assert found.vectors[0] @ AXES[0] > 0.99
    assert found.names == ("x",)
    assert found.figure.chance == pytest.approx(10, rel=0.1)
    assert skill(found.figure) > 0.9


def test_the_second_of_two_values_lies_ahead() -> None:
    values = RNG.integers(2, size=IMAGES)
    found = find(
        [("day", "night")[v] for v in values], None, planted(values[:, None].astype(np.float64))
    )
    assert found.vectors[0] @ AXES[0] > 0.99
    assert found.names == ("night",)
    assert (found.figure.value, found.figure.chance) == (1, 0.5)


def test_ranks_rise_along_the_direction() -> None:
    values = RNG.integers(3, size=IMAGES)
    names: list[Scalar] = [("calf", "yearling", "adult")[v] for v in values]
    found = find(names, "ordinal(calf,yearling,adult)", planted(values[:, None] / 2))
    assert found.vectors[0] @ AXES[0] > 0.99
    assert found.figure.value == 0


def test_a_cycle_has_a_sine_and_a_cosine() -> None:
    hours = RNG.uniform(0, 24, IMAGES)
    angle = hours * math.pi / 12
    found = find(hours.tolist(), "cyclic(24)", planted(np.stack([np.sin(angle), np.cos(angle)], 1)))
    assert found.vectors[0] @ AXES[0] > 0.99
    assert found.vectors[1] @ AXES[1] > 0.99
    assert found.names == ("sin x", "cos x")
    assert found.figure.value < 0.3  # hours
    assert found.figure.chance == pytest.approx(6, rel=0.1)


def test_each_name_has_a_direction() -> None:
    values = RNG.integers(3, size=IMAGES)
    found = find([("a", "b", "c")[v] for v in values], None, planted(np.eye(3)[values]))
    assert found.names == ("a", "b", "c")
    # Away from the middle of the three: (2, -1, -1)/√6 and so on.
    ideal = (np.eye(3) - 1 / 3) @ AXES[:3] * math.sqrt(1.5)
    assert (found.vectors * ideal).sum(axis=1).min() > 0.98
    assert found.figure.chance == pytest.approx(1 / 3)


def test_a_nominal_variable_of_two_names_has_two_opposite_directions() -> None:
    values = RNG.integers(2, size=IMAGES)
    found = find(
        [("a", "b")[v] for v in values], "nominal", planted(values[:, None].astype(np.float64))
    )
    assert found.names == ("a", "b")
    assert found.vectors[1] @ AXES[0] > 0.99
    assert found.vectors[0].tolist() == (-found.vectors[1]).tolist()


def test_what_is_not_in_the_embedding_has_no_skill() -> None:
    values = RNG.integers(2, size=IMAGES)
    found = find(values.tolist(), None, planted(np.zeros((IMAGES, 1))))
    assert abs(skill(found.figure)) < 0.2


def test_the_score_is_of_identities_not_seen() -> None:
    """A variable that is only known by knowing the identity has no skill at others."""
    values = RNG.permutation(IDENTITIES)[LABELS] % 2
    found = find(values.tolist(), None, planted(np.zeros((IMAGES, 1))))
    assert found.figure.measure == ACCURACY
    assert found.figure.value < 0.8


def test_missing_values_are_left_out() -> None:
    values = RNG.uniform(-1, 1, IMAGES)
    embeddings = planted(values[:, None])
    some: list[Scalar] = ["" if row % 3 == 0 else float(v) for row, v in enumerate(values)]
    embeddings[::3] += 100
    found = find(some, "continuous", embeddings)
    assert found.vectors[0] @ AXES[0] > 0.99
    assert found.figure.count == sum(value != "" for value in some)


@pytest.mark.parametrize("codes", [[math.nan] * 4, [1.0] * 4, [math.nan, 0, 0, 0], []])
def test_fewer_than_two_values_have_no_direction(codes: list[float]) -> None:
    variable = fit_variable("x", ["a", "b"])
    assert find_direction(np.eye(4)[: len(codes)], [0] * len(codes), codes, variable) is None


@pytest.mark.parametrize("values", [["a", "b", "a", "b"], [1, 2, 3, 4]])
def test_one_identity_has_a_direction_but_no_score(values: list[Scalar]) -> None:
    variable = fit_variable("x", values)
    codes = [variable.encode(value) for value in values]
    found = find_direction(np.eye(4), ["cow"] * 4, codes, variable)
    assert found is not None
    assert math.isnan(found.figure.value)
    assert found.figure.count == 4


def test_a_fold_that_is_left_with_one_value() -> None:
    variable = fit_variable("x", ["a", "b"])
    found = find_direction(np.eye(4), [0, 0, 1, 1], [0, 0, 1, 1], variable)
    assert found is not None
    assert found.figure.value == 0


def test_embeddings_without_any_difference() -> None:
    variable = fit_variable("x", [1, 2, 3])
    found = find_direction(np.ones((4, 2)), [0, 0, 1, 1], [-1, 0, 0, 1], variable)
    assert found is not None
    assert np.isfinite(found.vectors).all()
