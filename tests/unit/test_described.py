"""Clusters in plain words."""

from collections.abc import Sequence

import numpy as np
import pytest

from recognition.background import Background, Encoder
from recognition.described import describe, name_words, range_words
from recognition.variable import Kind, Variable

LIGHT = Variable("light", Kind.NOMINAL, ("dawn", "day", "night"))
CAMERA = Variable("camera", Kind.NOMINAL, tuple("123456789"))
AZIMUTH = Variable("light_azimuth", Kind.CONTINUOUS, scale=60)
HOUR = Variable("hour", Kind.CYCLIC, period=24)
INFRARED = Variable("infrared", Kind.BINARY, ("false", "true"))


def described(
    variables: Sequence[Variable], *clusters: Sequence[Background], lost: int = 0
) -> tuple[str, ...]:
    backgrounds = [background for cluster in clusters for background in cluster]
    numbers = [number for number, cluster in enumerate(clusters) for _ in cluster]
    everyone = [*backgrounds, *[{"light": "night"}] * lost]
    labels = np.array([*numbers, *[-1] * lost], np.intp)
    return describe(Encoder(tuple(variables)), everyone, labels, len(clusters))


def names(name: str, values: str) -> list[Background]:
    return [{name: value} for value in values.split()]


def test_names_that_are_more_frequent_than_elsewhere_are_told() -> None:
    assert described(
        [LIGHT], names("light", "day dawn day day dawn"), names("light", "night night night day")
    ) == ("dawn or day: 5 images", "mostly night: 4 images")


def test_rare_names_are_not_listed() -> None:
    nine_of_ten = [{"light": "night"}] * 19 + [{"light": "dawn"}]
    assert described([LIGHT], nine_of_ten, [{"light": "day"}] * 3)[0] == "night: 20 images"


def test_numbers_are_told_as_ranges() -> None:
    left: list[Background] = [{"light_azimuth": -130 + 70 * i / 20} for i in range(21)]
    right: list[Background] = [{"light_azimuth": 25 + i} for i in range(5)]
    assert described([AZIMUTH], left, right) == (
        "light_azimuth −126 to −64: 21 images",
        "light_azimuth 25 to 29: 5 images",
    )


def test_an_outlier_does_not_widen_a_range() -> None:
    numbers = [{"light_azimuth": 10}] * 25 + [{"light_azimuth": 900}]
    others = [{"light_azimuth": 60}] * 9
    assert described([AZIMUTH], numbers, others)[0] == "light_azimuth 10: 26 images"


def test_a_cycle_is_told_across_its_end() -> None:
    night: list[Background] = [{"hour": hour} for hour in (22, 23.5, 0, 1, 4)]
    day: list[Background] = [{"hour": hour} for hour in (9, 12, 15)]
    assert described([HOUR], night, day) == ("hour 22 to 4: 5 images", "hour 9 to 15: 3 images")


def test_of_a_cycle_the_shortest_arc_of_nine_tenths_is_told() -> None:
    night: list[Background] = [{"hour": hour} for hour in (22, 22, 22, 23, 23, 0, 0, 1, 2, 12)]
    assert described([HOUR], night, [{"hour": 9}])[0] == "hour 22 to 2: 10 images"


def test_what_holds_elsewhere_as_well_is_not_told() -> None:
    anywhere: list[Background] = [{"hour": hour, "light": "day"} for hour in range(0, 24, 3)]
    assert described([HOUR, LIGHT], anywhere, anywhere * 2) == (
        "mixed: 8 images",
        "mixed: 16 images",
    )


def test_the_most_telling_three_come_first() -> None:
    variables = [Variable(name, Kind.NOMINAL, ("0", "1", "2")) for name in "abcd"]
    ones: list[Background] = [dict.fromkeys("abcd", "1")] * 8
    # Elsewhere 1 is as frequent as 6/8, 4/8, 2/8 and none: gaps of 1/4, 1/2, 3/4 and 1.
    others: list[Background] = [
        {"a": "1" if i < 6 else "0", "b": "1" if i < 4 else "0", "c": "1" if i < 2 else "0"}
        for i in range(8)
    ]
    assert described(variables, ones, others)[0] == "d 1, c 1, b 1: 8 images"
    assert described(variables[:1], ones, others)[0] == "a 1: 8 images"
    assert described(variables[:1], ones, [*others, ones[0]])[0] == "mixed: 8 images"


def test_what_is_missing_does_not_hold() -> None:
    half = [*names("light", "night night"), {}, {}]
    assert described([LIGHT, HOUR], half, names("light", "day")) == (
        "mostly night: 4 images",
        "day: 1 image",
    )
    assert described([LIGHT], [{}], names("light", "day"))[0] == "mixed: 1 image"


def test_one_cluster_is_everything_and_the_lost_are_left_out() -> None:
    many: list[Background] = [{"light": "day"}] * 1252
    assert described([LIGHT], many) == ("everything: 1,252 images",)
    assert described([LIGHT], many, names("light", "night"), lost=9000)[1] == "night: 1 image"


def test_a_cluster_without_images_is_mixed() -> None:
    assert described([LIGHT, HOUR], names("light", "day"), [])[1] == "mixed: 0 images"


def test_a_word_that_two_variables_have_is_told_with_its_variable() -> None:
    sky = Variable("sky", Kind.NOMINAL, ("clear", "night"))
    backgrounds: list[Background] = [{"light": "night", "sky": "clear"}]
    assert described([LIGHT, sky], backgrounds, [{"light": "day", "sky": "night"}]) == (
        "light night, clear: 1 image",
        "day, sky night: 1 image",
    )


@pytest.mark.parametrize(
    ("variable", "chosen", "words"),
    [
        (LIGHT, "night", "night"),
        (CAMERA, "3", "camera 3"),
        (CAMERA, "3 4", "cameras 3 or 4"),
        (CAMERA, "5 4 3 1 8 9 7", "cameras 1 or 3–5 or 7–9"),
        (Variable("class", Kind.NOMINAL, ("1", "2")), "1 2", "class 1 or 2"),
        (Variable("gate", Kind.NOMINAL, ("9", "10", "11")), "10 11 9", "gates 9–11"),
        (Variable("gate", Kind.NOMINAL, ("a", "b")), "a b", "gates a or b"),
        (Variable("kind", Kind.NOMINAL, ("Old_Greek", "7")), "Old_Greek", "Old_Greek"),
        (Variable("kind", Kind.NOMINAL, ("late spring", "7")), "late-spring", "late-spring"),
        (Variable("date", Kind.NOMINAL, ("2025-04-01", "b")), "2025-04-01", "date 2025-04-01"),
        (INFRARED, "true", "infrared"),
        (INFRARED, "false", "not infrared"),
        (INFRARED, "false true", "false or true"),
    ],
)
def test_names_in_words(variable: Variable, chosen: str, words: str) -> None:
    assert name_words(variable, chosen.split()) == words


@pytest.mark.parametrize(
    ("variable", "low", "high", "words"),
    [
        (Variable("x", Kind.CONTINUOUS, scale=1), -0.04, 1.26, "x 0.0 to 1.3"),
        (Variable("x", Kind.CONTINUOUS, scale=1), -0.06, -0.06, "x −0.1"),
        (Variable("x", Kind.CONTINUOUS, scale=0.01), 0.5, 0.513, "x 0.500 to 0.513"),
        (Variable("x", Kind.CONTINUOUS, scale=1e6), 1234567.8, 2e6, "x 1234568 to 2000000"),
        (Variable("x", Kind.CONTINUOUS, scale=5e-324), 0, 1, f"x 0.{'0' * 325} to 1.{'0' * 325}"),
        (HOUR, 22, 28.4, "hour 22 to 4"),
        (HOUR, 23.7, 24.2, "hour 0"),
        (Variable("x", Kind.CYCLIC, period=360), 350.4, 370, "x 350 to 10"),
        (Variable("x", Kind.CYCLIC, period=1), 0.9, 1.25, "x 0.90 to 0.25"),
    ],
)
def test_ranges_in_words(variable: Variable, low: float, high: float, words: str) -> None:
    assert range_words(variable, low, high) == words
