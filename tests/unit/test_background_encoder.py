"""Backgrounds as rows, and distances that can be worked out by hand."""

import math

import numpy as np
import pytest

from recognition.background import Encoder
from recognition.variable import Kind, Variable

SEASON = Variable("season", Kind.NOMINAL, ("autumn", "spring", "summer"))
GAIN = Variable("gain", Kind.CONTINUOUS, weight=4)
HOUR = Variable("hour", Kind.CYCLIC, period=24)
ENCODER = Encoder((SEASON, GAIN, HOUR))


def test_blocks_stand_side_by_side() -> None:
    encoded = ENCODER.encode([{"season": "spring", "gain": 1, "other": 3}, {"hour": 6}, {}])
    assert encoded.features == pytest.approx(
        np.array([[0, 1, 0, 2, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]])
    )
    assert encoded.features.dtype == np.float64
    assert encoded.present.tolist() == [[True, True, False], [False, False, True], [False] * 3]
    assert ENCODER.known(encoded).tolist() == pytest.approx([5 / 6, 1 / 6, 0])


def test_there_are_as_many_columns_as_the_variables_have_together() -> None:
    assert ENCODER.columns == 6


def test_distances_are_means_over_what_both_have() -> None:
    a = ENCODER.encode(
        [
            {"season": "spring", "gain": 1},
            {"season": "spring", "gain": 1, "hour": 0},
            {"hour": 12},
            {},
        ]
    )
    b = ENCODER.encode([{"season": "summer", "gain": 2.5}, {"hour": 6, "gain": 1}])
    assert ENCODER.distances(a, b) == pytest.approx(
        np.array(
            [
                # A season apart is 2, a gain of 1.5 apart is 4·1.5² = 9; six hours apart is 2.
                [math.sqrt(11 / 5), 0],
                [math.sqrt(11 / 5), math.sqrt(2 / 5)],
                [math.nan, math.sqrt(2)],
                [math.nan, math.nan],
            ]
        ),
        nan_ok=True,
    )
    assert np.array_equal(ENCODER.distances(b, a), ENCODER.distances(a, b).T, equal_nan=True)


def test_no_variable_knows_nothing() -> None:
    encoder = Encoder(())
    encoded = encoder.encode([{"season": "spring"}, {}])
    assert encoded.features.shape == (2, 0)
    assert encoder.known(encoded).tolist() == [0, 0]
    assert np.isnan(encoder.distances(encoded, encoded)).all()
    assert encoder.encode([]).present.shape == (0, 0)


def test_rows_of_another_encoder_are_refused() -> None:
    with pytest.raises(ValueError, match="expected rows of 6 columns, got 3"):
        ENCODER.distances(ENCODER.encode([{}]), Encoder((SEASON,)).encode([{}]))


def test_names_are_given_once() -> None:
    with pytest.raises(ValueError, match="a name is given twice"):
        Encoder((SEASON, SEASON))
