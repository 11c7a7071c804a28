"""Retention against the rules written out one entry at a time."""

import math
import random
import statistics
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.retain import Held, Removal, RetentionRule, modified_z_scores, retain

NOW = datetime(2025, 6, 30, tzinfo=UTC)

entries_of_one_identity = st.lists(
    st.tuples(
        st.integers(0, 9),  # days ago: few, so that instants coincide
        st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([0, 0, 0, 50])),
    ),
    max_size=15,
).map(
    lambda rows: [
        Held(f"e{number:02}", NOW - timedelta(days=days), np.array(place, dtype=np.float32))
        for number, (days, place) in enumerate(rows)
    ]
)
rules = st.builds(
    RetentionRule,
    max_age=st.none() | st.integers(1, 10).map(lambda days: timedelta(days=days)),
    newest=st.none() | st.integers(1, 15),
    # Between the scores that a small grid gives, so that rounding decides nothing.
    mad_cutoff=st.none() | st.sampled_from([0.7731, 2.0173, 3.5]),
    mad_min=st.integers(1, 8),
)
# Integers make the MAD zero often; thousandths keep the scores within float32.
numbers = st.integers(-50, 50) | st.integers(-(10**6), 10**6).map(lambda value: value / 1000)
samples = st.lists(numbers, min_size=1, max_size=25).map(
    lambda values: [float(np.float32(value)) for value in values]
)


def scores_by_hand(x: list[float]) -> list[float]:
    middle = statistics.median(x)
    deviations = [abs(value - middle) for value in x]
    mad, mean = statistics.median(deviations), statistics.fmean(deviations)
    if mad > 0:
        return [0.6745 * (value - middle) / mad for value in x]
    return [(value - middle) / (1.253314 * mean) if mean > 0 else 0 for value in x]


def distances_to_median(entries: list[Held]) -> list[float]:
    places = [entry.vector.tolist() for entry in entries]
    middle = [statistics.median(axis) for axis in zip(*places, strict=True)]
    # float32, the precision that is promised: it decides which distances are the same.
    return [float(np.float32(math.dist(place, middle))) for place in places]


def by_hand(entries: list[Held], rule: RetentionRule) -> dict[str, Removal]:
    removed = {}
    for entry in entries:
        if rule.max_age is not None and entry.captured_at + rule.max_age < NOW:
            removed[entry.entry_id] = Removal.AGE
    left = {entry.entry_id: entry for entry in entries if entry.entry_id not in removed}
    while rule.newest is not None and len(left) > rule.newest:
        oldest = min(left.values(), key=lambda entry: (entry.captured_at, entry.entry_id))
        removed[oldest.entry_id] = Removal.COUNT
        del left[oldest.entry_id]
    if rule.mad_cutoff is not None and len(left) >= rule.mad_min:
        scores = scores_by_hand(distances_to_median(list(left.values())))
        for entry_id, score in zip(left, scores, strict=True):
            if score > rule.mad_cutoff:
                removed[entry_id] = Removal.MAD
    return removed


@given(entries_of_one_identity, rules)
def test_it_is_what_the_rules_say(entries: list[Held], rule: RetentionRule) -> None:
    assert retain(entries, rule, NOW) == by_hand(entries, rule)


@given(entries_of_one_identity, rules, st.randoms())
def test_the_order_of_the_entries_does_not_matter(
    entries: list[Held], rule: RetentionRule, shuffler: random.Random
) -> None:
    shuffled = entries.copy()
    shuffler.shuffle(shuffled)
    assert retain(shuffled, rule, NOW) == retain(entries, rule, NOW)


@given(entries_of_one_identity, rules)
def test_age_and_count_remove_nothing_more_the_second_time(
    entries: list[Held], rule: RetentionRule
) -> None:
    removed = retain(entries, rule, NOW)
    stay = [entry for entry in entries if entry.entry_id not in removed]
    assert set(retain(stay, rule, NOW).values()) <= {Removal.MAD}


@given(entries_of_one_identity, rules)
def test_some_entry_stays_unless_all_are_too_old(entries: list[Held], rule: RetentionRule) -> None:
    removed = retain(entries, rule, NOW)
    too_old = sum(removal is Removal.AGE for removal in removed.values())
    assert (len(removed) == len(entries)) == (too_old == len(entries))


@given(samples)
def test_scores_are_those_of_the_definition(x: list[float]) -> None:
    found = modified_z_scores(np.array(x, dtype=np.float32))
    assert found == pytest.approx(np.array(scores_by_hand(x)), rel=1e-5)


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=25),
    st.sampled_from([0.25, 2, 8]),
    st.integers(-100, 100),
)
def test_scores_know_neither_scale_nor_origin(x: list[int], scale: float, shift: int) -> None:
    found = modified_z_scores(np.array(x, dtype=np.float32))
    moved = modified_z_scores(np.array([scale * value + shift for value in x], dtype=np.float32))
    assert moved == pytest.approx(found, rel=1e-6)


@given(st.integers(3, 20), st.floats(-10, 10, width=32))
def test_over_half_of_the_values_are_never_outliers(n: int, value: float) -> None:
    x = np.full(2 * n, value, dtype=np.float32)
    x[: n - 1] += 1
    assert abs(modified_z_scores(x)[n:]).max() == 0
