"""The decision against exact arithmetic, and what no order or bystander may change."""

import random
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recognition.decision import MAX_CANDIDATES, Neighbour, Reason, Verdict
from recognition.match import decide

# Multiples of 1/8 make ties common, and are exact in binary.
eighths = st.integers(0, 16).map(lambda value: value / 8)
any_distance = eighths | st.floats(-1e6, 1e6)
thresholds = st.integers(1, 16).map(lambda value: value / 8)


def neighbours_at(distances: st.SearchStrategy[float]) -> st.SearchStrategy[list[Neighbour]]:
    return st.lists(
        st.builds(
            Neighbour,
            entry_id=st.integers(0, 999).map(str),
            identity=st.sampled_from(["oak", "pond", "gate", "hut"]),
            distance=distances,
            cluster=st.just("all"),
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda neighbour: neighbour.entry_id,
    )


@given(neighbours_at(any_distance), st.none() | any_distance, st.randoms())
def test_the_order_of_the_neighbours_does_not_matter(
    neighbours: list[Neighbour], threshold: float | None, shuffler: random.Random
) -> None:
    shuffled = neighbours.copy()
    shuffler.shuffle(shuffled)
    assert decide(shuffled, threshold) == decide(neighbours, threshold)


@given(neighbours_at(any_distance), any_distance)
def test_known_means_that_the_nearest_is_within_the_threshold(
    neighbours: list[Neighbour], threshold: float
) -> None:
    decision = decide(neighbours, threshold)
    within = min(neighbour.distance for neighbour in neighbours) <= threshold
    assert (decision.verdict is Verdict.KNOWN) == within
    assert (decision.reason is Reason.WITHIN_THRESHOLD) == within
    assert (decision.identity is not None) == within
    assert not within or (decision.distance is not None and decision.distance <= threshold)


@given(neighbours_at(eighths), thresholds)
def test_the_winner_has_the_most_votes_in_exact_arithmetic(
    neighbours: list[Neighbour], threshold: float
) -> None:
    decision = decide(neighbours, threshold)
    assume(decision.identity is not None)
    votes = {neighbour.identity: Fraction(0) for neighbour in neighbours}
    for neighbour in neighbours:
        if neighbour.distance <= threshold:
            share = 1 - Fraction(neighbour.distance) / Fraction(threshold)
            votes[neighbour.identity] += max(share, Fraction(1, 10**9))
    for candidate in decision.candidates:
        assert candidate.votes == pytest.approx(float(votes[candidate.identity]), rel=1e-12)
    assert float(votes[decision.identity or ""]) == pytest.approx(float(max(votes.values())))


@given(neighbours_at(any_distance), st.none() | any_distance)
def test_candidates_are_the_nearest_entries_in_the_order_of_the_ranking(
    neighbours: list[Neighbour], threshold: float | None
) -> None:
    decision = decide(neighbours, threshold)
    nearest = {
        name: min(n.distance for n in neighbours if n.identity == name)
        for name in {n.identity for n in neighbours}
    }
    entries = {n.entry_id: n for n in neighbours}
    assert len(decision.candidates) == min(MAX_CANDIDATES, len(nearest))
    for candidate in decision.candidates:
        entry = entries[candidate.entry_id]
        assert entry.identity == candidate.identity
        assert entry.distance == candidate.distance == nearest[candidate.identity]
    ranking = [(-c.votes, c.distance, c.identity) for c in decision.candidates]
    assert ranking == sorted(ranking)
    first = decision.candidates[0]
    assert decision.distance == first.distance
    others = [distance for name, distance in nearest.items() if name != first.identity]
    assert decision.margin == (min(others) - first.distance if others else None)


@given(neighbours_at(eighths), thresholds, eighths)
def test_a_bystander_beyond_the_threshold_changes_no_winner(
    neighbours: list[Neighbour], threshold: float, further: float
) -> None:
    bystander = Neighbour("new", "oak", threshold + further + 0.125, "all")
    before = decide(neighbours, threshold)
    after = decide([*neighbours, bystander], threshold)
    assert (after.verdict, after.identity) == (before.verdict, before.identity)


@given(neighbours_at(eighths), thresholds, st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_the_scale_of_the_distances_does_not_matter(
    neighbours: list[Neighbour], threshold: float, scale: float
) -> None:
    scaled = [Neighbour(n.entry_id, n.identity, n.distance * scale, n.cluster) for n in neighbours]
    before, after = decide(neighbours, threshold), decide(scaled, threshold * scale)
    assert after.identity == before.identity
    assert [c.votes for c in after.candidates] == [c.votes for c in before.candidates]
