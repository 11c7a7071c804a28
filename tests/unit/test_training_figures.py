"""Figures of predictions, beside those of chance."""

import math

import numpy as np
import pytest

from schemas.variables import Cyclic, Ordinal
from tests.unit.skill import skill
from workers.training.directions import ACCURACY, CIRCULAR, ERROR, RANKS, figure
from workers.training.variables import fit_variable

NAN = math.nan


def test_balanced_accuracy_counts_every_name_alike() -> None:
    season = fit_variable("season", ["a", "b", "c"])
    # Of a, three of four; of b, none of one. c does not occur.
    found = figure(season, np.array([0, 0, 0, 0, 1, NAN]), np.array([0, 0, 0, 2, 0, 1]))
    assert (found.measure, found.value, found.chance, found.count) == (ACCURACY, 0.375, 0.5, 5)
    assert skill(found) == -0.25


def test_errors_are_in_the_unit() -> None:
    variable = fit_variable("t", [1, 2, 3, 4, 100])
    truth = np.array([variable.encode(value) for value in (3, 4, 7)])
    guess = np.array([variable.encode(value) for value in (3, 6, 6)])
    found = figure(variable, truth, guess)
    assert (found.measure, found.count) == (ERROR, 3)
    assert found.value == pytest.approx((0 + 2 + 1) / 3)
    assert found.chance == pytest.approx((0 + 1 + 4) / 3)
    assert skill(found) == pytest.approx(0.4)


def test_the_error_of_an_angle_goes_the_shorter_way_round() -> None:
    hour = fit_variable("hour", [23, 1], Cyclic(type="cyclic", period=24))
    truth = np.array([hour.encode(value) for value in (23, 12)])
    guess = np.array([hour.encode(1), -math.pi])
    found = figure(hour, truth, guess)
    assert found.measure == CIRCULAR
    assert found.value == pytest.approx((2 + 0) / 2)
    assert found.chance == pytest.approx((1 + 12) / 2)


def test_ranks() -> None:
    age = fit_variable("age", ["a", "b", "c"], Ordinal(type="ordinal", values=("a", "b", "c")))
    found = figure(age, np.array([0, 2, NAN]), np.array([2, 2, 0]))
    assert (found.measure, found.value, found.chance, found.count) == (RANKS, 1, 1, 2)
    assert skill(found) == 0


@pytest.mark.parametrize("values", [["a", "b"], [1, 2, 3]])
def test_nothing_to_predict(values: list[str] | list[int]) -> None:
    found = figure(fit_variable("x", values), np.array([NAN]), np.array([0.0]))
    assert math.isnan(found.value)
    assert math.isnan(found.chance)
    assert found.count == 0


def test_predictions_that_are_missing() -> None:
    variable = fit_variable("x", ["a", "b"])
    assert math.isnan(figure(variable, np.array([0.0, 1]), np.array([NAN, NAN])).value)


def test_chance_that_gets_nothing_wrong_leaves_no_skill() -> None:
    found = figure(fit_variable("x", ["a", "b"]), np.array([0.0]), np.array([0.0]))
    assert found.chance == 1
    assert math.isnan(skill(found))
