"""What the gallery takes in: with τ = 0.4 an entry within 0.32, beyond 0.1, and unrivalled."""

import math

import pytest

from recognition.decision import Decision, Inclusion, InclusionRule, Neighbour, contested, include
from recognition.match import decide

TAU = 0.4
RULE = InclusionRule()


def decision(own: float, other: float | None = None, threshold: float | None = TAU) -> Decision:
    found = [Neighbour("oak-1", "oak", own, "c0")]
    if other is not None:
        found.append(Neighbour("elm-1", "elm", other, "c0"))
    return decide(found, threshold)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (0.2, None, Inclusion.INCLUDED),
        (0.2, 0.41, Inclusion.INCLUDED),
        (0.2, 0.39, Inclusion.CONTESTED),
        (0.2, 0.4, Inclusion.CONTESTED),
        (0.33, None, Inclusion.UNSURE),
        (0.31, None, Inclusion.INCLUDED),
        (0.41, None, Inclusion.UNKNOWN),
        (0.09, None, Inclusion.NOTHING_NEW),
        (0.11, None, Inclusion.INCLUDED),
        (0.0, None, Inclusion.NOTHING_NEW),
        (0.0, 0.0, Inclusion.CONTESTED),
    ],
)
def test_sure_unrivalled_and_new(own: float, other: float | None, expected: Inclusion) -> None:
    assert include(decision(own, other), RULE) is expected


@pytest.mark.parametrize("threshold", [None, 0.05])
def test_what_is_not_identified_is_not_included(threshold: float | None) -> None:
    assert include(decision(0.2, threshold=threshold), RULE) is Inclusion.UNKNOWN


def test_an_empty_gallery_includes_nothing() -> None:
    assert include(decide([], TAU), RULE) is Inclusion.UNKNOWN


def test_a_threshold_of_zero_leaves_room_for_nothing_new() -> None:
    assert include(decision(0.0, threshold=0.0), RULE) is Inclusion.NOTHING_NEW


def test_what_is_new_is_told_by_the_nearest_entry_of_the_identity() -> None:
    found = [Neighbour("a", "oak", 0.3, "c0"), Neighbour("b", "oak", 0.05, "c1")]
    assert include(decide(found, TAU), RULE) is Inclusion.NOTHING_NEW


def test_the_shares_may_be_chosen() -> None:
    rule = InclusionRule(surer=0.5, new=0.4)
    told = [include(decision(own), rule) for own in (0.15, 0.18, 0.22)]
    assert told == [Inclusion.NOTHING_NEW, Inclusion.INCLUDED, Inclusion.UNSURE]


@pytest.mark.parametrize(
    ("surer", "new"),
    [(0.8, 0.8), (0.8, 0.0), (0.8, -0.1), (1.1, 0.2), (0.2, 0.5), (0.8, math.nan)],
)
def test_shares_that_leave_no_room_are_refused(surer: float, new: float) -> None:
    with pytest.raises(ValueError, match="0 < new < surer <= 1"):
        InclusionRule(surer, new)


def test_contested_means_a_second_identity_within_the_threshold() -> None:
    assert not contested(decision(0.2))
    assert not contested(decision(0.2, 0.5))
    assert contested(decision(0.2, 0.4))
    assert not contested(decision(0.5, 0.6))
    assert not contested(decide([], TAU))
