"""Names of clusters as they stand in Redis."""

import math

import pytest

from recognition.cluster import UNCLUSTERED, UNSHARDED, cluster_of


@pytest.mark.parametrize("background", [{}, {"season": "winter"}])
def test_without_variables_there_is_one_cluster(background: dict[str, object]) -> None:
    assert cluster_of(background, []) == UNSHARDED == "all"


def test_the_values_stand_in_the_order_of_the_variables() -> None:
    background = {"light": "night", "camera": "c7", "season": "winter"}
    assert cluster_of(background, ["season", "light"]) == "season=winter,light=night"
    assert cluster_of(background, ["light", "season"]) == "light=night,season=winter"


@pytest.mark.parametrize("background", [{}, {"season": None}, {"season": ""}, {"light": "day"}])
def test_a_value_that_is_missing_leaves_the_cluster_open(background: dict[str, object]) -> None:
    assert cluster_of(background, ["season"]) == UNCLUSTERED
    assert cluster_of({**background, "camera": "c7"}, ["camera", "season"]) == UNCLUSTERED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("late winter", "late%20winter"),
        ("a,b=c", "a%2Cb%3Dc"),
        ("{x}:/*", "%7Bx%7D%3A%2F%2A"),
        ("100%", "100%25"),
        ("%20", "%2520"),
        ("~", "%7E"),
        ("été", "%C3%A9t%C3%A9"),
        ("\ud800", "%ED%A0%80"),
        ("Night_1.a-b", "Night_1.a-b"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-3, "-3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
    ],
)
def test_values_are_written_canonically_and_safely(value: object, text: str) -> None:
    assert cluster_of({"v": value}, ["v"]) == f"v={text}"


def test_names_of_variables_are_made_safe_too() -> None:
    assert cluster_of({"a=b": "c"}, ["a=b"]) == "a%3Db=c"


@pytest.mark.parametrize("value", [math.nan, math.inf, ["winter"], {"a": 1}, b"winter"])
def test_what_is_neither_text_nor_number_nor_boolean_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="cannot shard by season"):
        cluster_of({"season": value}, ["season"])
