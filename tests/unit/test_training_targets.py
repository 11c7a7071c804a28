"""Background variables as tensors."""

import math

import numpy as np
import pytest
import torch

from recognition.variable import as_text
from schemas.errors import SetupError
from schemas.event import Scalar
from schemas.variables import Binary, Continuous, Cyclic, Nominal, Ordinal
from workers.training.variables import LearnedVariable, fit_variable, make_targets, present, varying

HOUR = Cyclic(type="cyclic", period=24)
AGE = Ordinal(type="ordinal", values=("calf", "yearling", "adult"))


def codes(variable: LearnedVariable, *values: Scalar | None) -> list[float]:
    return [variable.encode(value) for value in values]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["summer", "winter", "spring"], ("spring", "summer", "winter")),
        ([1, "two", 3.0], ("1", "3", "two")),
        (["night", "day", "night"], ("day", "night")),
        ([10, 9.0, 9], ("9", "10")),
        ([True, False], ("false", "true")),
    ],
)
def test_names_are_inferred(values: list[Scalar], kind: tuple[str, ...]) -> None:
    expected = "binary" if len(kind) == 2 else "nominal"
    inferred = fit_variable("x", values).kind
    assert isinstance(inferred, Nominal)
    assert (inferred.type, inferred.values) == (expected, kind)


def test_numbers_are_inferred() -> None:
    assert fit_variable("x", [1, 2.5, 3]).kind == Continuous(type="continuous")


def test_a_nominal_variable_is_the_index_of_its_name() -> None:
    season = fit_variable("season", ["winter", "summer", "winter", None, "autumn"])
    assert codes(season, "autumn", "summer", "winter") == [0, 1, 2]
    assert season.typical == 2
    assert np.isnan(codes(season, "spring", None, "", math.nan)).all()


def test_numbers_that_are_names() -> None:
    camera = fit_variable("camera", [1, 2.0, 1])
    assert camera.kind == Binary(type="binary", values=("1", "2"))
    assert codes(camera, 1, 2, 2.0, "1") == [0, 1, 1, 0]  # 1 is a name here, not "true"


def test_a_declared_binary_takes_what_the_stream_takes() -> None:
    light = fit_variable(
        "light", [0, "night", True], Binary(type="binary", values=("day", "night"))
    )
    assert codes(light, *(0, 1, False, True), "day", "night") == [0, 1, 0, 1, 0, 1]


def test_an_ordinal_variable_is_its_rank() -> None:
    age = fit_variable("age", ["adult", "calf", "adult"], AGE)
    assert codes(age, "calf", "yearling", "adult") == [0, 1, 2]
    assert age.typical == 2


def test_a_continuous_variable_is_its_robust_z() -> None:
    # Median 3; distances to it 2, 1, 0, 1, 97: their median is 1.
    variable = fit_variable("t", [1, 2, 3, 4, 100])
    assert (variable.fitted.centre, variable.fitted.scale) == (3, 1.4826)
    assert codes(variable, 3, 3 + 1.4826) == pytest.approx([0, 1])


def test_more_than_half_equal_values_leave_a_scale() -> None:
    variable = fit_variable("t", [5, 5, 5, 6, 9])  # mean distance 1
    assert (variable.fitted.centre, variable.fitted.scale) == (5, 1.2533)


def test_a_cyclic_variable_is_an_angle() -> None:
    hour = fit_variable("hour", [23, 1, 23.5, 0.5], HOUR)
    assert codes(hour, 0, 6, 12, 24, 30, -6) == pytest.approx(
        [0, math.pi / 2, math.pi, 0, math.pi / 2, 1.5 * math.pi]
    )
    assert hour.typical == pytest.approx(0)  # midnight, not the noon of the plain mean


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        ([], None, "no value"),
        ([None, "", math.nan], None, "no value"),
        (["winter", None, "winter"], None, "only the value 'winter'"),
        ([3, 3.0], None, "only the value 3"),
        ([0, 24, 48], HOUR, "only the value 0"),
        ([0, "false"], Binary(type="binary"), "only the value 0"),
        ([1, "noon"], HOUR, "hour='noon': could not convert"),
        ([1, 100], Continuous(type="continuous", maximum=60), "hour=100: expected a number from"),
        (["calf", "foal"], AGE, "hour='foal': expected one of calf, yearling, adult"),
        (["day", "night"], Binary(type="binary"), "expected one of false, true"),
    ],
)
def test_what_cannot_be_learned(
    values: list[Scalar | None], kind: Cyclic | Binary | Ordinal | Continuous | None, why: str
) -> None:
    with pytest.raises(SetupError, match=why):
        fit_variable("hour", values, kind)


def test_a_number_that_is_none_is_an_error_in_any_row() -> None:
    with pytest.raises(SetupError, match="hour='noon'"):
        fit_variable("hour", [1, 2], HOUR).encode("noon")


def test_targets_take_their_statistics_from_train_rows_alone() -> None:
    backgrounds: list[dict[str, Scalar]] = [
        {"t": 1, "season": "winter"},
        {"t": 1000, "season": "spring"},
        {"t": 2},
        {"t": 3, "season": "summer"},
        {},
    ]
    targets = make_targets(backgrounds, np.array([0, 2, 3]), {"season": None, "t": None})
    assert [v.name for v in targets.variables] == ["season", "t"]
    assert targets.variables[1].fitted.centre == 2
    assert targets.values.dtype == torch.float32
    z = 1 / 1.4826
    expected = [[1, -z], [math.nan, 998 * z], [math.nan, 0], [0, z], [math.nan, math.nan]]
    np.testing.assert_allclose(targets.values.numpy(), expected, rtol=1e-6)


def test_no_variables_at_all() -> None:
    assert make_targets([{"t": 1}, {"t": 2}], np.array([0]), {}).values.shape == (2, 0)


def test_which_variables_vary() -> None:
    backgrounds: list[dict[str, Scalar]] = [
        {"camera": 1, "season": "winter", "farm": "a"},
        {"season": "summer", "farm": "a", "camera": 1.0},
        {"light": ""},
        {"light": "day"},
    ]
    assert varying(backgrounds) == ["season"]


def test_present_and_text() -> None:
    assert [present(value) for value in (0, False, "0", None, "", math.nan)] == [True] * 3 + [
        False
    ] * 3
    assert [as_text(v) for v in (1, 1.0, "1", 1.5, True)] == ["1", "1", "1", "1.5", "true"]
