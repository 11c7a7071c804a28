"""What counts as a difference."""

import pytest

from tests.golden.comparing import differences, stable


@pytest.mark.parametrize(
    ("expected", "value", "moved"),
    [
        ({"a": [1, 0.5, None, "x"]}, {"a": [1, 0.5 + 1e-8, None, "x"]}, []),
        ({"a": 0.5}, {"a": 0.5 + 1e-5}, ["$.a: 0.50001, not 0.5"]),
        ({"a": 1, "b": 2}, {"a": 1, "c": 2}, ["$.b: missing", "$.c: new"]),
        ({"a": [True]}, {"a": [1]}, ["$.a[0]: 1, not True"]),
        ([1, 2], [1], ["$: [1], not [1, 2]"]),
        ([1], [1.0], ["$[0]: 1.0, not 1"]),
        ([{"a": "x"}], [{"a": None}], ["$[0].a: None, not 'x'"]),
        ([1.0, 1e-9], [1.0, 2e-9], ["$[1]: 2e-09, not 1e-09"]),
    ],
)
def test_each_difference_is_named_by_its_path(
    expected: object, value: object, moved: list[str]
) -> None:
    assert list(differences(expected, value, 1e-6)) == moved


def test_vectors_differ_by_a_share_of_their_norm() -> None:
    assert not list(differences([3.0, 0.0], [3.0, 0.002], 1e-3, by_norm=True))
    (moved,) = differences({"v": [3.0, 0.0]}, {"v": [3.0, 0.006]}, 1e-3, by_norm=True)
    assert moved == "$.v: a vector, 0.002 of its norm away"


def test_times_are_left_out_at_any_depth() -> None:
    value = {"made_at": "now", "of": [{"image_ms": 1.5, "uri": "here", "n": 1}]}
    assert stable(value, frozenset({"uri"})) == {"of": [{"n": 1}]}
