"""Retention of entries that lie on a line, captured a day apart."""

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from recognition.retain import Held, Removal, RetentionRule, modified_z_scores, retain

NOW = datetime(2025, 6, 30, tzinfo=UTC)
ANYTHING = RetentionRule(max_age=None, newest=None, mad_cutoff=None)


def held(name: str, *, days_ago: float = 0, at: float = 0) -> Held:
    return Held(name, NOW - timedelta(days=days_ago), np.array([at, 1], dtype=np.float32))


def on_a_line(*places: float) -> list[Held]:
    return [held(f"e{number}", at=place) for number, place in enumerate(places)]


def test_entries_older_than_the_age_leave_and_those_of_exactly_that_age_stay() -> None:
    entries = [held("new"), held("edge", days_ago=30), held("old", days_ago=30.001)]
    rule = RetentionRule(max_age=timedelta(days=30))
    assert retain(entries, rule, NOW) == {"old": Removal.AGE}


def test_the_newest_stay() -> None:
    entries = [held(f"day{day}", days_ago=day) for day in (3, 1, 4, 0, 2)]
    assert retain(entries, RetentionRule(newest=3), NOW) == {
        "day3": Removal.COUNT,
        "day4": Removal.COUNT,
    }


def test_of_the_same_instant_the_smaller_id_leaves_first() -> None:
    entries = [held("b"), held("c"), held("a")]
    assert retain(entries, RetentionRule(newest=1), NOW) == {
        "a": Removal.COUNT,
        "b": Removal.COUNT,
    }


def test_what_lies_far_from_the_median_leaves() -> None:
    # Median place 0.5, distances 2.5 1.5 0.5 0.5 1.5 8.5: median 1.5, MAD 1; only z(8.5) > 3.5.
    entries = on_a_line(-2, -1, 0, 1, 2, 9)
    assert retain(entries, RetentionRule(), NOW) == {"e5": Removal.MAD}


def test_what_lies_at_the_median_stays_where_the_others_are_all_far() -> None:
    entries = on_a_line(-10, -10.1, -9.9, 0, 10, 9.9, 10.1)
    scores = modified_z_scores(np.array([10, 10.1, 9.9, 0, 10, 9.9, 10.1], dtype=np.float32))
    assert scores.min() < -3.5
    assert retain(entries, RetentionRule(), NOW) == {}


def test_fewer_entries_than_the_minimum_have_no_outlier() -> None:
    entries = on_a_line(0, 0.1, 0.2, 100)
    assert retain(entries, RetentionRule(mad_min=5), NOW) == {}
    assert retain(entries, RetentionRule(mad_min=4), NOW) == {"e3": Removal.MAD}


def test_copies_and_one_other_fall_back_to_the_mean_deviation() -> None:
    assert retain(on_a_line(0, 0, 0, 0, 1), RetentionRule(), NOW) == {"e4": Removal.MAD}
    assert retain(on_a_line(0, 0, 0, 0, 1), RetentionRule(mad_cutoff=4), NOW) == {}


def test_copies_stay() -> None:
    assert retain(on_a_line(*[3.3] * 9), RetentionRule(), NOW) == {}


def test_each_rule_sees_what_the_one_before_left() -> None:
    entries = [
        held("aged", days_ago=99, at=500),
        held("surplus", days_ago=9, at=400),
        *(held(f"e{place}", days_ago=1, at=place) for place in range(5)),
        held("odd", days_ago=1, at=300),
    ]
    rule = RetentionRule(max_age=timedelta(days=10), newest=6)
    assert retain(entries, rule, NOW) == {
        "aged": Removal.AGE,
        "surplus": Removal.COUNT,
        "odd": Removal.MAD,
    }
    assert retain(entries, ANYTHING, NOW) == {}


def test_an_empty_gallery_keeps_nothing_and_loses_nothing() -> None:
    assert retain([], RetentionRule(max_age=timedelta(days=1)), NOW) == {}


def test_instants_in_other_time_zones_compare() -> None:
    tokyo = timezone(timedelta(hours=9))
    edge = NOW - timedelta(days=1)
    entries = [
        Held("edge", edge.astimezone(tokyo), np.zeros(2, dtype=np.float32)),
        Held("old", (edge - timedelta(minutes=1)).astimezone(tokyo), np.zeros(2, dtype=np.float32)),
    ]
    rule = RetentionRule(max_age=timedelta(days=1))
    assert retain(entries, rule, NOW) == {"old": Removal.AGE}


def test_modified_z_scores_by_hand() -> None:
    # Median 3, absolute deviations 2 1 0 1 7: MAD 1.
    scores = modified_z_scores(np.array([1, 2, 3, 4, 10], dtype=np.float32))
    assert scores == pytest.approx(np.array([-2, -1, 0, 1, 7]) * 0.6745)
    assert scores.dtype == np.float32
    # Median 0, MAD 0, mean absolute deviation 2.
    scores = modified_z_scores(np.array([0, 0, 0, 0, 10], dtype=np.float32))
    assert scores == pytest.approx(np.array([0, 0, 0, 0, 10 / (1.253314 * 2)]))
    assert modified_z_scores(np.array([5, 5], dtype=np.float32)).tolist() == [0, 0]


def test_a_score_beyond_float32_is_infinite() -> None:
    scores = modified_z_scores(np.array([-1e-45, 0, 1e-45, 1e30], dtype=np.float32))
    assert scores[-1] == math.inf


@pytest.mark.parametrize("x", [[], [[1.0]], [1.0, math.nan], [math.inf]])
def test_scores_of_nothing_are_refused(x: list[float]) -> None:
    with pytest.raises(ValueError, match="finite array of shape"):
        modified_z_scores(np.array(x, dtype=np.float32))


def test_an_id_may_occur_only_once() -> None:
    with pytest.raises(ValueError, match="only once"):
        retain([held("a"), held("a", days_ago=1)], RetentionRule(), NOW)


def test_instants_need_a_time_zone() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="now needs a time zone"):
        retain([], RetentionRule(), naive)
    with pytest.raises(ValueError, match="'a': captured_at needs a time zone"):
        Held("a", naive, np.zeros(2, dtype=np.float32))


def test_a_vector_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        retain(on_a_line(0, 1, 2, 3, math.nan), RetentionRule(), NOW)


def test_a_rule_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="max_age must be positive"):
        RetentionRule(max_age=timedelta(0))
    with pytest.raises(ValueError, match="newest must be at least 1"):
        RetentionRule(newest=0)
    for cutoff in (0, math.nan):
        with pytest.raises(ValueError, match="mad_cutoff must be positive"):
            RetentionRule(mad_cutoff=cutoff)
    with pytest.raises(ValueError, match="mad_min must be at least 1"):
        RetentionRule(mad_min=0)
