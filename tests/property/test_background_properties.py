"""Backgrounds against their definitions, written out one pair and one variable at a time."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from recognition.background import Encoder
from recognition.fitted_variable import fit_variable
from recognition.variable import Kind, Variable

SEASON = Variable("season", Kind.NOMINAL, ("autumn", "spring", "summer"), spread=1.2, weight=0.5)
INFRARED = Variable("infrared", Kind.BINARY, ("false", "true"), spread=0.7)
AGE = Variable("age", Kind.ORDINAL, ("young", "grown", "old"), weight=3.0)
GAIN = Variable("gain", Kind.CONTINUOUS, centre=-2, scale=4, spread=1.4)
HOUR = Variable("hour", Kind.CYCLIC, period=24, spread=2, weight=0.01)
ENCODER = Encoder((SEASON, INFRARED, AGE, GAIN, HOUR))

anything: st.SearchStrategy[object] = st.sampled_from(
    [None, "", math.nan, math.inf, [], {}, "?", 10**400, (1, 2)]
)
background_of: dict[str, st.SearchStrategy[object]] = {
    "season": st.sampled_from(SEASON.values),
    "infrared": st.booleans() | st.sampled_from(["true", "false", 0, 1]),
    "age": st.sampled_from(AGE.values),
    "gain": st.integers(-30, 30) | st.floats(-30, 30),
    "hour": st.floats(-50, 50) | st.integers(0, 24).map(str),
    "unheard_of": st.text(),
}
complete = st.fixed_dictionaries(background_of)
partial = st.fixed_dictionaries(
    {}, optional={name: values | anything for name, values in background_of.items()}
)
Background = dict[str, object]


def says(value: object) -> float | str | None:
    """Return the number or name that a value stands for, None if it is nothing of the kind."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return value if abs(value) < 100 else None  # neither infinite, huge nor NaN
    numbers = {"true": 1.0, "false": 0.0, "young": 0.0, "grown": 0.5, "old": 1.0, "": None}
    if not isinstance(value, str) or value == "?":
        return None
    return float(value) if value.isdecimal() else numbers.get(value, value)


def squared(variable: Variable, one: object, other: object) -> float | None:
    """Return the squared distance of two values; None where either says nothing."""
    a, b = says(one), says(other)
    if a is None or b is None:
        return None
    if isinstance(a, str) or isinstance(b, str):
        raw = 0.0 if a == b else 2.0
    elif variable is HOUR:
        raw = 2 - 2 * math.cos((a - b) * math.pi / 12)
    elif variable is GAIN:
        raw = (min(max(a, -14), 10) / 4 - min(max(b, -14), 10) / 4) ** 2
    else:
        raw = (a - b) ** 2
    return raw * variable.weight / variable.spread**2


def gower(one: Background, other: Background) -> float:
    total = weight = 0.0
    for variable in ENCODER.variables:
        part = squared(variable, one.get(variable.name), other.get(variable.name))
        if part is not None:
            total, weight = total + part, weight + variable.weight
    return math.sqrt(max(total, 0) / weight) if weight else math.nan


@given(st.lists(partial, max_size=6), st.lists(partial, max_size=6))
def test_distances_are_gowers(a: list[Background], b: list[Background]) -> None:
    found = ENCODER.distances(ENCODER.encode(a), ENCODER.encode(b))
    assert found.shape == (len(a), len(b))
    for row, one in zip(found, a, strict=True):
        for distance, other in zip(row, b, strict=True):
            assert distance == pytest.approx(gower(one, other), abs=1e-6, nan_ok=True)


@given(st.lists(partial, max_size=8))
def test_what_is_missing_is_no_feature_and_not_known(backgrounds: list[Background]) -> None:
    encoded = ENCODER.encode(backgrounds)
    known = ENCODER.known(encoded)
    for row, background in enumerate(backgrounds):
        has = [
            squared(v, background.get(v.name), background.get(v.name)) is not None
            for v in ENCODER.variables
        ]
        assert encoded.present[row].tolist() == has
        weight = sum(v.weight for v, there in zip(ENCODER.variables, has, strict=True) if there)
        assert known[row] == pytest.approx(weight / 5.51)
        ends = np.cumsum([variable.columns for variable in ENCODER.variables])[:-1]
        for there, block in zip(has, np.split(encoded.features[row], ends), strict=True):
            assert there or not block.any()


@given(partial, partial)
def test_a_background_is_no_distance_from_itself_and_both_ways_are_as_long(
    one: Background, other: Background
) -> None:
    encoded = ENCODER.encode([one, other])
    distances = ENCODER.distances(encoded, encoded)
    assert np.array_equal(distances, distances.T, equal_nan=True)
    assert all(itself == 0 or math.isnan(itself) for itself in distances.diagonal())


def variable_of(kind: Kind, values: Sequence[object]) -> Variable:
    names = AGE.values if kind is Kind.ORDINAL else ()
    period = 24 if kind is Kind.CYCLIC else None
    return fit_variable("x", values, kind, names=names, period=period)


@given(
    st.sampled_from([(Kind.NOMINAL, "season"), (Kind.ORDINAL, "age"), (Kind.CYCLIC, "hour")]),
    st.data(),
)
def test_two_fitted_rows_differ_by_one_in_the_mean_square(
    what: tuple[Kind, str], data: st.DataObject
) -> None:
    kind, name = what
    values = data.draw(st.lists(background_of[name], min_size=2, max_size=12))
    assume(len({str(value) for value in values}) > 1)
    assume(kind is not Kind.CYCLIC or max_gap([float(str(value)) for value in values]) > 1e-3)
    mean_square_is_one(variable_of(kind, values), values)


@given(st.lists(st.integers(-40, 40).map(lambda v: v / 4), min_size=2, max_size=12))
def test_two_fitted_numbers_differ_by_one_in_the_mean_square(values: list[float]) -> None:
    assume(len(set(values)) > 1)
    mean_square_is_one(variable_of(Kind.CONTINUOUS, values), values)


def max_gap(hours: list[float]) -> float:
    return max(abs(math.sin((a - b) * math.pi / 24)) for a in hours for b in hours)


def mean_square_is_one(variable: Variable, values: Sequence[object]) -> None:
    encoder = Encoder((variable,))
    rows = encoder.encode([{"x": value} for value in values]).features.tolist()
    pairs = [math.dist(rows[a], rows[b]) ** 2 for a in range(len(rows)) for b in range(a)]
    assert statistics.fmean(pairs) == pytest.approx(1)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=20))
def test_numbers_are_centred_and_scaled_as_the_definition_says(values: list[int]) -> None:
    assume(len(set(values)) > 2)
    variable = fit_variable("x", values)
    deviations = [abs(value - statistics.median(values)) for value in values]
    mad, mean = statistics.median(deviations), statistics.fmean(deviations)
    assert variable.kind is Kind.CONTINUOUS
    assert variable.centre == statistics.median(values)
    assert variable.scale == pytest.approx(1.4826 * mad if mad > 0 else 1.2533 * mean)


@given(
    st.lists(complete, min_size=4, max_size=20),
    st.floats(0.01, 100),
)
def test_an_encoder_is_the_same_after_json(backgrounds: list[Background], weight: float) -> None:
    hours = [background["hour"] for background in backgrounds]
    assume(max_gap([float(str(hour)) for hour in hours]) > 1e-3)
    fitted = replace(fit_variable("hour", hours, Kind.CYCLIC, period=24), weight=weight)
    encoder = Encoder((SEASON, AGE, fitted))
    page = TypeAdapter(Encoder)
    assert page.validate_json(page.dump_json(encoder)) == encoder
