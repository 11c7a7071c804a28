"""Decisions whose votes can be counted by hand."""

import math

import pytest

from recognition.decision import Decision, Neighbour, Reason, Verdict
from recognition.match import MIN_VOTE, decide


def near(*found: tuple[str, float]) -> list[Neighbour]:
    """Neighbours ``a0, b1, …`` from (identity, distance)."""
    return [
        Neighbour(f"{identity}{number}", identity, distance, "all")
        for number, (identity, distance) in enumerate(found)
    ]


def test_the_nearest_within_the_threshold_is_known() -> None:
    decision = decide(near(("oak", 0.25), ("pond", 0.75)), 0.5)
    assert decision.verdict is Verdict.KNOWN
    assert decision.reason is Reason.WITHIN_THRESHOLD
    assert decision.identity == "oak"
    assert decision.distance == 0.25
    assert decision.threshold == 0.5
    assert decision.margin == 0.5
    assert [c.identity for c in decision.candidates] == ["oak", "pond"]
    assert [c.entry_id for c in decision.candidates] == ["oak0", "pond1"]
    assert [c.votes for c in decision.candidates] == pytest.approx([0.5, 0])


def test_several_entries_can_overrule_the_nearest_and_the_margin_says_so() -> None:
    found = near(("oak", 0.25), ("pond", 0.5), ("pond", 0.5))
    decision = decide(found, 1)  # oak: 3/4, pond: 1/2 + 1/2
    assert decision.identity == "pond"
    assert decision.distance == 0.5
    assert decision.margin == -0.25
    assert [c.votes for c in decision.candidates] == pytest.approx([1, 0.75])


def test_entries_beyond_the_threshold_have_no_vote() -> None:
    crowd = [("pond", 0.6)] * 9
    assert decide(near(("oak", 0.4), *crowd), 0.5).identity == "oak"


def test_a_neighbour_exactly_at_the_threshold_is_known() -> None:
    decision = decide(near(("oak", 0.5)), 0.5)
    assert decision.identity == "oak"
    assert decision.candidates[0].votes == MIN_VOTE


def test_ties_go_to_the_nearer_then_to_the_name() -> None:
    nearer = decide(near(("oak", 0.75), ("oak", 0.75), ("pond", 0.5)), 1)
    assert [c.votes for c in nearer.candidates] == [0.5, 0.5]
    assert nearer.identity == "pond"
    by_name = decide([Neighbour("1", "pond", 0.5, "all"), Neighbour("2", "oak", 0.5, "all")], 1)
    assert by_name.identity == "oak"
    assert by_name.margin == 0


def test_of_entries_at_the_same_distance_the_smaller_id_stands_for_the_identity() -> None:
    found = near(("oak", 0.25), ("oak", 0.25))
    for order in (found, found[::-1]):
        assert decide(order, 0.5).candidates[0].entry_id == "oak0"


def test_beyond_the_threshold_the_nearest_is_only_a_candidate() -> None:
    decision = decide(near(("pond", 0.9), ("oak", 0.7), ("pond", 0.8)), 0.5)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reason is Reason.BEYOND_THRESHOLD
    assert decision.identity is None
    assert decision.distance == 0.7
    assert decision.margin == pytest.approx(0.1)
    assert [(c.identity, c.distance, c.votes) for c in decision.candidates] == [
        ("oak", 0.7, 0),
        ("pond", 0.8, 0),
    ]


def test_without_a_threshold_nobody_is_known() -> None:
    decision = decide(near(("oak", 0.0)), None)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.reason is Reason.GALLERY_TOO_SMALL
    assert (decision.identity, decision.threshold, decision.margin) == (None, None, None)
    assert decision.distance == 0
    assert decision.candidates[0].identity == "oak"


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_without_neighbours_the_gallery_is_empty(threshold: float | None) -> None:
    assert decide([], threshold) == Decision(
        Verdict.UNKNOWN, None, None, threshold, None, (), Reason.GALLERY_EMPTY
    )


@pytest.mark.parametrize(
    ("distances", "threshold", "winner"),
    [
        ({"oak": 0.0, "pond": 0.1}, 0.0, "oak"),
        ({"oak": -3.0, "pond": -2.5}, -2.0, "oak"),  # an inner product
        ({"oak": -3.0, "pond": -2.5}, 0.0, "oak"),
        ({"oak": 0.0, "pond": 0.1}, -1e-45, None),  # copies under two names: accept nothing
    ],
)
def test_thresholds_at_and_below_zero(
    distances: dict[str, float], threshold: float, winner: str | None
) -> None:
    decision = decide(near(*distances.items()), threshold)
    assert decision.identity == winner
    assert all(math.isfinite(candidate.votes) for candidate in decision.candidates)


def test_a_vote_is_the_share_of_the_threshold_that_is_left_whatever_its_sign() -> None:
    assert decide(near(("oak", 1)), 4).candidates[0].votes == 0.75
    assert decide(near(("oak", -3)), -2).candidates[0].votes == 0.5


def test_only_the_top_candidates_are_named_but_the_margin_sees_all() -> None:
    found = near(*((name, 0.1 * rank) for rank, name in enumerate("abcdefg", start=1)))
    decision = decide(found, 0.5)
    assert [c.identity for c in decision.candidates] == list("abcde")
    assert decision.margin == pytest.approx(0.1)


@pytest.mark.parametrize("distance", [math.nan, math.inf, -math.inf])
def test_a_distance_that_is_no_number_is_refused(distance: float) -> None:
    with pytest.raises(ValueError, match="'oak0' has no finite distance"):
        decide(near(("oak", distance)), 0.5)


def test_a_threshold_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold must be finite"):
        decide([], math.nan)
