"""Background variables: what their values mean, and what is learned of them."""

import math

import numpy as np
import pytest

from recognition.fitted_variable import fit_variable
from recognition.variable import Kind, Variable, as_number, as_text, names_of

SEASON = Variable("season", Kind.NOMINAL, ("autumn", "spring", "summer"))
INFRARED = Variable("infrared", Kind.BINARY, ("false", "true"))
AGE = Variable("age", Kind.ORDINAL, ("young", "grown", "old"))
GAIN = Variable("gain", Kind.CONTINUOUS, centre=10, scale=2)
HOUR = Variable("hour", Kind.CYCLIC, period=24)


def test_each_kind_has_its_columns() -> None:
    assert SEASON.block("spring") == (0, 1, 0)
    assert [INFRARED.block(value) for value in (False, "true")] == [(0,), (1,)]
    assert [AGE.block(value) for value in AGE.values] == [(0,), (0.5,), (1,)]
    assert [GAIN.block(value) for value in (10, "13", 9.0)] == [(0,), (1.5,), (-0.5,)]
    assert HOUR.block(6) == pytest.approx((1, 0))
    assert HOUR.block(-12) == pytest.approx((0, -1))
    for variable in (SEASON, INFRARED, AGE, GAIN, HOUR):
        block = variable.block("7" if variable in (GAIN, HOUR) else variable.values[1])
        assert block is not None
        assert len(block) == variable.columns


def test_an_odd_number_counts_as_three_deviations() -> None:
    assert [GAIN.block(value) for value in (16.1, 1e300, -1e300)] == [(3,), (3,), (-3,)]


def test_blocks_are_divided_by_the_spread_and_weighted() -> None:
    assert Variable("gain", Kind.CONTINUOUS, spread=2, weight=9).block(1) == (1.5,)
    assert Variable("age", Kind.ORDINAL, ("a", "b"), spread=2, weight=9).block("b") == (1.5,)


@pytest.mark.parametrize(
    "value", [None, "", math.nan, "winter", 1, True, ["spring"], {"spring": 1}, 10**400]
)
def test_what_is_no_name_is_missing(value: object) -> None:
    assert SEASON.code(value) is None
    assert SEASON.block(value) is None


@pytest.mark.parametrize(
    "value", [None, "", math.nan, math.inf, "-inf", "noon", True, [7], 10**400, np.zeros(2)]
)
def test_what_is_no_number_is_missing(value: object) -> None:
    assert GAIN.code(value) is None
    assert HOUR.block(value) is None


def test_truth_and_bits_are_the_names_of_a_binary_variable() -> None:
    side = Variable("side", Kind.BINARY, ("left", "right"))
    assert [side.code(value) for value in (False, 0, 0.0, "left")] == [0] * 4
    assert [side.code(value) for value in (True, 1, 1.0, "right")] == [1] * 4
    assert side.code(2) is None
    assert side.code("true") is None
    # A name that is given comes before what 1 may mean.
    gate = Variable("gate", Kind.BINARY, ("1", "2"))
    assert [gate.code(value) for value in (1, True)] == [0, 1]


def test_a_number_and_its_text_are_one_name() -> None:
    camera = Variable("camera", Kind.NOMINAL, ("1", "2", "true"))
    assert [camera.code(value) for value in (2, 2.0, "2", True)] == [1, 1, 1, 2]


def test_a_cycle_has_no_end() -> None:
    assert [HOUR.code(value) for value in (25, -1, 24, "48.5")] == [1, 23, 0, 0.5]
    assert HOUR.code(-1e-20) == 0


def test_kinds_are_inferred() -> None:
    assert fit_variable("x", [1, 0, 1]).kind is Kind.BINARY
    assert fit_variable("x", [True, False]).values == ("false", "true")
    assert fit_variable("x", [10, 9, 9.0]).values == ("9", "10")
    assert fit_variable("x", [1, 2.5, 3]).kind is Kind.CONTINUOUS
    assert fit_variable("x", ["1", "2", "3"]).kind is Kind.NOMINAL
    assert fit_variable("x", [True, 7, 8]).values == ("7", "8", "true")
    assert fit_variable("x", ["b", "a", "c", "", None, math.nan]).values == ("a", "b", "c")


def test_kinds_can_be_given() -> None:
    age = fit_variable("age", ["old", "young"], Kind.ORDINAL, names=["young", "grown", "old"])
    assert age.values == ("young", "grown", "old")
    assert fit_variable("size", [3, 1, 10], Kind.ORDINAL).values == ("1", "3", "10")
    hour = fit_variable("hour", [0, 6, 12, 18], Kind.CYCLIC, period=24)
    assert (hour.period, hour.weight) == (24, 1)
    assert hour.spread == pytest.approx(math.sqrt((4 * 2 + 2 * 4) / 6))


def test_numbers_most_of_which_are_equal_scale_by_the_mean_deviation() -> None:
    gain = fit_variable("gain", [5, 5, 5, 5, 7, 1], Kind.CONTINUOUS)
    assert gain.centre == 5
    assert gain.scale == pytest.approx(1.2533)


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([None, ""], None, "background x: there is no value; it takes two"),
        ([0.0, 1e-300], Kind.CONTINUOUS, "background x: there is only the value 0.0; it takes two"),
        (["a", "a", None], None, "there is only the value 'a'"),
        ([0, 24, -24], Kind.CYCLIC, "there is only the value 0"),
        (["1", "1.0"], Kind.CONTINUOUS, "there is only the value '1'"),
        (["1", "b"], Kind.CONTINUOUS, "background x='b': expected a finite number"),
        ([1, 2, math.inf], None, "background x=inf: expected a finite number"),
        ([["a"], "b"], None, r"background x=\['a'\]: not text, a number or a boolean"),
        (
            [1.7e308, 1.6e308, -1.6e308, -1.7e308],
            None,
            "inf cannot be the scale of a continuous variable",
        ),
    ],
)
def test_values_that_teach_nothing_are_refused(
    values: list[object], kind: Kind | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_variable("x", values, kind, period=24 if kind is Kind.CYCLIC else None)


def test_a_name_beyond_those_given_is_refused() -> None:
    with pytest.raises(ValueError, match="background x='c': expected one of a, b"):
        fit_variable("x", ["a", "b", "c"], Kind.NOMINAL, names=["a", "b"])


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        (Kind.NOMINAL, {"values": ("a",)}, "values"),
        (Kind.NOMINAL, {"values": ("a", "b", "a")}, "values"),
        (Kind.BINARY, {"values": ("a", "b", "c")}, "values"),
        (Kind.CONTINUOUS, {"values": ("a", "b")}, "values"),
        (Kind.CYCLIC, {}, "period"),
        (Kind.CYCLIC, {"period": 0.0}, "period"),
        (Kind.CYCLIC, {"period": math.inf}, "period"),
        (Kind.CONTINUOUS, {"period": 24.0}, "period"),
        (Kind.CONTINUOUS, {"centre": math.nan}, "centre"),
        (Kind.CONTINUOUS, {"scale": 0.0}, "scale"),
        (Kind.CONTINUOUS, {"spread": math.inf}, "spread"),
        (Kind.CONTINUOUS, {"weight": -1.0}, "weight"),
        (Kind.CONTINUOUS, {"weight": math.nan}, "weight"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    kind: Kind, fields: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ValueError, match=f"variable 'x': .* cannot be the {wrong} of a {kind} "):
        Variable("x", kind, **fields)  # type: ignore[arg-type]  # wrong on purpose


def test_values_as_text_and_numbers() -> None:
    assert [as_text(value) for value in (7, 7.0, "7", False, 7.5)] == ["7"] * 3 + ["false", "7.5"]
    assert [as_number(value) for value in (7, " 7 ", False, 1e999, object())] == [
        7,
        7,
        None,
        None,
        None,
    ]
    assert names_of(["b", 10, 9]) == ("10", "9", "b")
